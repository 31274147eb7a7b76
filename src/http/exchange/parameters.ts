import { fromUtf8 } from "#base/bytes.ts";
import { DbError } from "#base/errors.ts";
import { parseExactJson } from "#base/json.ts";
import type { Exchange } from "./exchange.ts";
import { requireUtf8 } from "./text.ts";

/** A value as JSON has it; whole numbers of 64 bits are bigint, others number. */
export type JsonValue =
  | null
  | boolean
  | bigint
  | number
  | string
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

const JSON_CONTENT_TYPE = /^application\/(?:[^;\s]+\+)?json\s*(?:;|$)/i;

/**
 * The named values of a request, from its query string or from a JSON body. Names that nobody asks for are ignored.
 *
 * Everything here throws DbError `invalid` / `parameters` with the texts that clients of InfluxDB 3 know.
 */
export class Parameters {
  readonly #values: ReadonlyMap<string, JsonValue>;
  readonly #origin: "serde error" | "serde json error";
  /** The JSON that they come from. */
  readonly #text: string | undefined;

  private constructor(values: ReadonlyMap<string, JsonValue>, text?: string) {
    this.#values = values;
    this.#origin = text === undefined ? "serde error" : "serde json error";
    this.#text = text;
  }

  /** Of what follows the `?` of a URL. A name that stands twice is refused. */
  static fromQuery(query: string): Parameters {
    const values = new Map<string, string>();
    for (const [name, value] of new URLSearchParams(query)) {
      if (values.has(name)) throw wrong(`serde error: duplicate field \`${name}\``);
      values.set(name, value);
    }
    return new Parameters(values);
  }

  /** Of a body that holds one JSON object. */
  static fromJson(body: Uint8Array): Parameters {
    requireUtf8(body);
    const text = fromUtf8(body);
    const value = parseJson(text);
    if (!isJsonObject(value)) {
      throw wrong(`serde json error: invalid type: ${typeText(value)}, expected an object`);
    }
    return new Parameters(new Map(Object.entries(value)), text);
  }

  /** Whether `name` stands there, be it null. */
  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** The value of `name` whatever it is; undefined when it is missing or null. */
  value(name: string): JsonValue | undefined {
    return this.#values.get(name) ?? undefined;
  }

  /** The text of `name`; undefined when it is missing or null. */
  text(name: string): string | undefined {
    const value = this.value(name);
    if (value === undefined || typeof value === "string") return value;
    throw this.wrong(`invalid type: ${typeText(value)}, expected a string`);
  }

  /** The text of `name`, which must be there. */
  requiredText(name: string): string {
    const text = this.text(name);
    if (text === undefined) throw this.wrong(`missing field \`${name}\``);
    return text;
  }

  /** The truth of `name`, `true` or `false` in these very letters; `otherwise` when it is missing. */
  boolean(name: string, otherwise: boolean): boolean {
    const value = this.value(name);
    if (value === undefined) return otherwise;
    if (value === true || value === "true") return true;
    if (value === false || value === "false") return false;
    throw this.wrong("provided string was not `true` or `false`");
  }

  /** An error about the value of `name`, which is no `expected`, for the caller to throw. */
  wrongValue(name: string, expected: string): DbError {
    const value = this.value(name) ?? null;
    const place = this.#text === undefined ? "" : placeText(this.#text, name);
    return this.wrong(`invalid value: ${typeText(value)}, expected ${expected}${place}`);
  }

  /** An error about these parameters, for the caller to throw. */
  wrong(message: string): DbError {
    return wrong(`${this.#origin}: ${message}`);
  }
}

/** Those of a request's body, which must say that it is JSON; rejects with `invalid` / `content_type` where it does not. */
export async function jsonParameters(exchange: Exchange): Promise<Parameters> {
  if (!JSON_CONTENT_TYPE.test(exchange.headers["content-type"] ?? "")) {
    throw new DbError(
      "invalid",
      "content_type",
      "unacceptable content-type, expected: application/json",
    );
  }
  return Parameters.fromJson(await exchange.readBody());
}

/** The value that `text` spells, whole numbers exact. */
export function parseJson(text: string): JsonValue {
  try {
    return parseExactJson(text) as JsonValue;
  } catch (error) {
    const message = error instanceof SyntaxError ? error.message : "the value is nested too deeply";
    throw wrong(`serde json error: ${message}`);
  }
}

export function isJsonObject(
  value: JsonValue | undefined,
): value is { readonly [name: string]: JsonValue } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What `value` is, in words for an error. */
export function typeText(value: JsonValue): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "sequence";
  if (typeof value === "object") return "map";
  if (typeof value === "bigint") return `integer \`${value}\``;
  if (typeof value === "number") return `floating point \`${value}\``;
  return `${typeof value} ${JSON.stringify(value)}`;
}

const JSON_TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/** Where the value of `name` ends in `text`, the JSON of an object: its line, and the column of its last character in bytes. */
function placeText(text: string, name: string): string {
  let depth = 0;
  let isWanted = false;
  let token = "";
  for (const match of text.matchAll(JSON_TOKEN)) {
    const before = token;
    [token] = match;
    if (token === ":" && depth === 1) isWanted = JSON.parse(before) === name;
    else if (token === "{" || token === "[") depth += 1;
    else if (token === "}" || token === "]") depth -= 1;
    else if (isWanted && depth === 1) {
      const lines = text.slice(0, match.index + token.length).split("\n");
      const column = Buffer.byteLength(lines.at(-1) ?? "");
      return ` at line ${lines.length} column ${column}`;
    }
  }
  return "";
}

function wrong(message: string): DbError {
  return new DbError("invalid", "parameters", message);
}
