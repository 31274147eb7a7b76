/** What InfluxDB 1 makes of a line that InfluxDB 3, and so this parser, refuses: its words for what is wrong, or the line as both read it. */

export type V1Line =
  | { readonly kind: "refused"; readonly reason: string }
  | {
      readonly kind: "taken";
      readonly measurement: string;
      /** The same points, in the strict grammar. */
      readonly text: string;
      /** Whether a tag has another name there: one that has the name of a field of its line is NAME_1. */
      readonly renamed: boolean;
    };

const TRUTHS: ReadonlySet<string> = new Set("t T true True TRUE f F false False FALSE".split(" "));
const INTEGER = /^-?\d+i$/;
/** An exponent may lack its digits here: what is wrong then is the number's value. */
const FLOAT = /^-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d*)?$/;
const NUMBER_START = /^[-.\dNn]/;
const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

/** Instants of InfluxDB 1: the outermost ones of 64 bits mean something else to it. */
const TIME_NS_MAX = INT64_MAX - 1n;
const TIME_NS_MIN = -TIME_NS_MAX;

/** The line as InfluxDB 1 reads and shows it. */
export function withoutLead(text: string): string {
  return text.replace(/^[ \t\0]+/, "");
}

/** Reads one line; `text` is neither blank nor a comment, its time in units of `unitNs` nanoseconds. */
export function readV1Line(text: string, unitNs: bigint): V1Line {
  try {
    return new LineReader(withoutLead(text), unitNs).read();
  } catch (error) {
    if (error instanceof Refusal) return { kind: "refused", reason: error.message };
    throw error;
  }
}

class Refusal extends Error {}

class LineReader {
  readonly #text: string;
  readonly #unitNs: bigint;
  #at = 0;

  constructor(text: string, unitNs: bigint) {
    this.#text = text;
    this.#unitNs = unitNs;
  }

  read(): V1Line {
    if (this.#text.startsWith(",")) throw new Refusal("missing measurement");
    const measurement = this.#name(", ");
    const tags: string[] = [];
    while (this.#next() === ",") tags.push(this.#tag());
    const keys = tags.map((tag) => tag.slice(0, tag.search(/(?<!\\)=/)));
    if (new Set(keys).size < keys.length) throw new Refusal("duplicate tags");
    this.#skipSpaces();
    if (this.#next() === "") throw new Refusal("missing fields");
    const fields = this.#fields();
    const time = this.#time();
    const named = tags.map((tag, index) => {
      const key = keys[index] ?? "";
      return fields.has(key) ? `${key}_1${tag.slice(key.length)}` : tag;
    });
    const head = [measurement.replaceAll("\t", "\\\t"), ...named].join(",");
    const all = [...fields].map(([key, value]) => `${key}=${value}`).join(",");
    return {
      kind: "taken",
      measurement: measurement.replaceAll(/\\([,= ])/g, "$1"),
      text: `${head} ${all}${time === "" ? "" : ` ${time}`}`,
      renamed: keys.some((key) => fields.has(key)),
    };
  }

  #next(): string {
    return this.#text.charAt(this.#at);
  }

  #skipSpaces(): void {
    while (this.#next() === " ") this.#at += 1;
  }

  /** Up to one of `ends` without a backslash before it, as written. */
  #name(ends: string): string {
    const start = this.#at;
    while (this.#at < this.#text.length && !ends.includes(this.#next())) {
      this.#at += this.#next() === "\\" ? 2 : 1;
    }
    this.#at = Math.min(this.#at, this.#text.length);
    return this.#text.slice(start, this.#at);
  }

  /** From the comma before it. */
  #tag(): string {
    this.#at += 1;
    const key = this.#name("=, ");
    if (key === "") throw new Refusal("missing tag key");
    if (this.#next() !== "=") throw new Refusal("missing tag value");
    this.#at += 1;
    if (["", ",", " "].includes(this.#next())) throw new Refusal("missing tag value");
    // One more equals sign may stand at the very start of a value.
    const start = this.#at;
    if (this.#next() === "=") this.#at += 1;
    this.#name("=, ");
    if (this.#next() === "=") throw new Refusal("invalid tag format");
    return `${key}=${this.#text.slice(start, this.#at).replace(/^=/, "\\=")}`;
  }

  /** By name; of a name that stands twice, the last. A field `time` is passed over beside others. */
  #fields(): ReadonlyMap<string, string> {
    const fields = new Map<string, string>();
    let isComplete = true;
    let isConflict = false;
    for (;;) {
      const key = this.#name("=, ");
      if (this.#next() === "=") {
        if (key === "") throw new Refusal("missing field key");
        this.#at += 1;
        const value = this.#value();
        const before = fields.get(key);
        if (before !== undefined && typeOf(before) !== typeOf(value)) isConflict = true;
        fields.set(key, value);
      } else isComplete = false;
      if (this.#next() !== ",") break;
      this.#at += 1;
    }
    // Only now, for what is wrong with a value is told first.
    if (!isComplete) throw new Refusal("invalid field format");
    if (isConflict) throw new Refusal("field type conflict");
    if (fields.size > 1) fields.delete("time");
    return fields;
  }

  #value(): string {
    if (["", ",", " "].includes(this.#next())) throw new Refusal("missing field value");
    if (this.#next() === '"') return this.#string();
    const token = this.#name(", ");
    if (!NUMBER_START.test(token)) {
      if (!TRUTHS.has(token)) throw new Refusal("invalid boolean");
      return token;
    }
    if (INTEGER.test(token)) return integerText(token);
    if (!FLOAT.test(token)) throw new Refusal("invalid number");
    return floatText(token);
  }

  /** From its first quote to the end of the field: quotes within it, and what follows the last one, are text. */
  #string(): string {
    const start = this.#at;
    let isQuoted = false;
    for (; this.#at < this.#text.length; this.#at += 1) {
      const character = this.#next();
      if (character === '"') isQuoted = !isQuoted;
      else if (character === "\\" && isQuoted) this.#at += 1;
      else if (!isQuoted && (character === "," || character === " ")) break;
    }
    if (isQuoted) throw new Refusal("unbalanced quotes");
    const content = this.#text.slice(start + 1, this.#at - 1);
    return `"${content.replaceAll(/\\(["\\])/g, "$1").replaceAll(/["\\]/g, "\\$&")}"`;
  }

  #time(): string {
    this.#skipSpaces();
    const rest = this.#text.slice(this.#at);
    if (rest === "") return "";
    const [token = ""] = rest.split(" ", 1);
    if (!/^-?\d*$/.test(token)) throw new Refusal("bad timestamp");
    if (rest.slice(token.length).trim() !== "") throw new Refusal("point is invalid");
    if (token === "-") throw new Refusal('strconv.ParseInt: parsing "-": invalid syntax');
    if (!isInt64(token))
      throw new Refusal(`strconv.ParseInt: parsing ${JSON.stringify(token)}: value out of range`);
    const timeNs = BigInt(token) * this.#unitNs;
    if (timeNs < TIME_NS_MIN || timeNs > TIME_NS_MAX)
      throw new Refusal(`time outside range ${TIME_NS_MIN} - ${TIME_NS_MAX}`);
    return token;
  }
}

function typeOf(value: string): "boolean" | "float" | "integer" | "string" {
  if (value.startsWith('"')) return "string";
  if (TRUTHS.has(value)) return "boolean";
  return value.endsWith("i") ? "integer" : "float";
}

function integerText(token: string): string {
  const digits = token.slice(0, -1);
  if (isInt64(digits)) return token;
  throw new Refusal(
    `unable to parse integer ${digits}: strconv.ParseInt: parsing ${JSON.stringify(digits)}: value out of range`,
  );
}

function floatText(token: string): string {
  if (/[eE][+-]?$/.test(token) || !Number.isFinite(Number(token)))
    throw new Refusal("invalid float");
  return token.replace(/^(?<sign>-?)\./, "$<sign>0.").replace(/\.(?!\d)/, ".0");
}

function isInt64(digits: string): boolean {
  const value = BigInt(digits);
  return value >= INT64_MIN && value <= INT64_MAX;
}
