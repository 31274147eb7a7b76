/** Types by their Arrow names, as `arrow_cast` takes them: `Int64`, `Timestamp(ns, "UTC")`, `Timestamp(Nanosecond, None)`. */
import {
  type Member,
  type PlainType,
  type TimeUnit,
  timestampType,
  type ValueType,
} from "#model/query/value-type.ts";
import { findZone } from "#model/time/zone.ts";
import { decimalType } from "./common-type.ts";

const TOKEN = /\s*([A-Za-z_0-9µ]+|"(?:[^"\\]|\\.)*"|[()[\]{},:])/uy;
/** Deeper ones are refused. */
const DEPTH_MAX = 32;
const PLAIN: Readonly<Record<string, PlainType>> = {
  Null: "null",
  Boolean: "boolean",
  Int8: "int8",
  Int16: "int16",
  Int32: "int32",
  Int64: "int64",
  UInt8: "uint8",
  UInt16: "uint16",
  UInt32: "uint32",
  UInt64: "uint64",
  Float16: "float32",
  Float32: "float32",
  Float64: "float64",
  Utf8: "string",
  LargeUtf8: "string",
  Utf8View: "string",
  Binary: "binary",
  LargeBinary: "binary",
  BinaryView: "binary",
  Date32: "date",
};
const UNITS: Readonly<Record<string, TimeUnit>> = {
  s: "second",
  ms: "millisecond",
  us: "microsecond",
  µs: "microsecond",
  ns: "nanosecond",
  Second: "second",
  Millisecond: "millisecond",
  Microsecond: "microsecond",
  Nanosecond: "nanosecond",
};
const INTERVALS = new Set(["YearMonth", "DayTime", "MonthDayNano"]);

/** The type that values of the Arrow type have here; undefined where `text` names none. */
export function parseArrowType(text: string): ValueType | undefined {
  const tokens = tokensOf(text);
  if (tokens === undefined) return undefined;
  const reader = new Reader(tokens);
  const type = reader.type(0);
  return reader.ended ? type : undefined;
}

/** The unit in the name of a type of times of day or durations, which have none of their own here. */
export function timeUnitOf(text: string): TimeUnit | undefined {
  const name = /^\s*(?:Time32|Time64|Duration)\s*\(\s*(\w+)/u.exec(text)?.[1] ?? "";
  return Object.hasOwn(UNITS, name) ? UNITS[name] : undefined;
}

function tokensOf(text: string): readonly string[] | undefined {
  const tokens: string[] = [];
  const trimmed = text.trimEnd();
  for (let offset = 0; offset < trimmed.length; offset = TOKEN.lastIndex) {
    TOKEN.lastIndex = offset;
    const token = TOKEN.exec(trimmed)?.[1];
    if (token === undefined) return undefined;
    tokens.push(token);
  }
  return tokens;
}

class Reader {
  readonly #tokens: readonly string[];
  #next = 0;

  constructor(tokens: readonly string[]) {
    this.#tokens = tokens;
  }

  get ended(): boolean {
    return this.#next === this.#tokens.length;
  }

  type(depth: number): ValueType | undefined {
    if (depth > DEPTH_MAX) return undefined;
    this.#accept("nullable");
    const name = this.#take();
    // Days in milliseconds, which may have a time of day.
    if (name === "Date64") return timestampType("millisecond");
    const plain = name !== undefined && Object.hasOwn(PLAIN, name) ? PLAIN[name] : undefined;
    if (name === undefined || plain !== undefined) return plain;
    if (!this.#accept("(")) return undefined;
    const type = this.#parts(name, depth + 1);
    return this.#accept(")") ? type : undefined;
  }

  #parts(name: string, depth: number): ValueType | undefined {
    switch (name) {
      case "Timestamp":
        return this.#timestamp();
      case "Time32":
      case "Time64":
        return this.#unit() === undefined ? undefined : "time";
      case "Duration":
        return this.#unit() === undefined ? undefined : "duration";
      case "Interval":
        return INTERVALS.has(this.#take() ?? "") ? "interval" : undefined;
      case "Decimal32":
      case "Decimal64":
      case "Decimal128":
      case "Decimal256":
        return this.#decimal();
      case "FixedSizeBinary":
        return this.#number() === undefined ? undefined : "binary";
      case "Dictionary":
        return this.type(depth) !== undefined && this.#accept(",") ? this.type(depth) : undefined;
      default:
        return this.#nested(name, depth);
    }
  }

  #nested(name: string, depth: number): ValueType | undefined {
    switch (name) {
      case "FixedSizeList":
        // `3 x Int64`, or `3, Int64`.
        if (this.#number() === undefined || !(this.#accept(",") || this.#accept("x")))
          return undefined;
        return this.#list(depth);
      case "List":
      case "LargeList":
      case "ListView":
      case "LargeListView":
        return this.#list(depth);
      case "Struct":
        return this.#struct(depth);
      default:
        return undefined;
    }
  }

  #timestamp(): ValueType | undefined {
    const unit = this.#unit();
    if (unit === undefined) return undefined;
    if (!this.#accept(",")) return timestampType(unit);
    if (this.#accept("None")) return timestampType(unit);
    const wrapped = this.#accept("Some") && this.#accept("(");
    const zone = this.#text();
    if (zone === undefined || findZone(zone) === undefined) return undefined;
    return !wrapped || this.#accept(")") ? timestampType(unit, zone) : undefined;
  }

  #decimal(): ValueType | undefined {
    const precision = this.#number();
    const scale = this.#accept(",") ? this.#number() : undefined;
    if (precision === undefined || scale === undefined) return undefined;
    return precision < 1 || scale > precision ? undefined : decimalType(precision, scale);
  }

  #list(depth: number): ValueType | undefined {
    const item = this.type(depth);
    // The name of an item's field has no place here.
    if (this.#accept(",")) {
      const named = this.#accept("field") && this.#accept(":") && this.#text() !== undefined;
      if (!named) return undefined;
    }
    return item === undefined ? undefined : { kind: "list", item };
  }

  /** `"a": Int64, "b": nullable Utf8` */
  #struct(depth: number): ValueType | undefined {
    const members: Member[] = [];
    do {
      const name = this.#text();
      const type = name !== undefined && this.#accept(":") ? this.type(depth) : undefined;
      if (name === undefined || type === undefined) return undefined;
      members.push({ name, type });
    } while (this.#accept(","));
    return { kind: "struct", members };
  }

  #unit(): TimeUnit | undefined {
    const name = this.#take() ?? "";
    return Object.hasOwn(UNITS, name) ? UNITS[name] : undefined;
  }

  #number(): number | undefined {
    const token = this.#take() ?? "";
    return /^\d{1,9}$/.test(token) ? Number(token) : undefined;
  }

  #text(): string | undefined {
    const token = this.#take();
    if (token === undefined || !token.startsWith('"')) return undefined;
    return token.slice(1, -1).replaceAll(/\\(.)/gu, "$1");
  }

  #take(): string | undefined {
    const token = this.#tokens[this.#next];
    if (token !== undefined) this.#next += 1;
    return token;
  }

  #accept(token: string): boolean {
    if (this.#tokens[this.#next] !== token) return false;
    this.#next += 1;
    return true;
  }
}
