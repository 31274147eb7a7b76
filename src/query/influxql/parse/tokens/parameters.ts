import { DbError } from "#base/errors.ts";
import { plainNumber } from "../../print/numbers.ts";
import { durationText, wholeNumber } from "./duration.ts";
import type { Token } from "./tokens.ts";

/** What stands for `$name`: a token, or one of kind `parameter` whose text says why there is none. */
type BoundValue = Pick<Token, "kind" | "text">;

export type BoundParameters = ReadonlyMap<string, BoundValue>;

/**
 * Binds values of JSON: numbers, texts, booleans, and objects of one entry that says what its value is: `{"regex": "^a"}`, `{"identifier":
 * "a b"}`, `{"duration": "10s"}`. Whole numbers are integers. A value that cannot be bound fails where it is used, as in 1.x.
 */
export function bindParameters(values: Readonly<Record<string, unknown>>): BoundParameters {
  return boundAll(Object.entries(values).map(([name, value]) => [name, withIntegers(value)]));
}

function withIntegers(value: unknown): unknown {
  if (isObject(value)) {
    return Object.fromEntries(
      Object.entries(value).map(([kind, inner]) => [
        kind,
        isObject(inner) ? inner : withIntegers(inner),
      ]),
    );
  }
  return Number.isSafeInteger(value) ? BigInt(Number(value)) : value;
}

/**
 * The same of the text of a JSON object, in which numbers with a point are floats, whole ones too. Throws `invalid` /
 * `influxql_parameters` for what is none, and for integers that do not fit.
 */
export function parseParameters(json: string): BoundParameters {
  const values = Object.entries(decodeObject(json));
  for (const [, value] of values) {
    if (value instanceof BadInteger) throw badParameters(`json value: ${value.fault}`);
  }
  return boundAll(values);
}

function boundAll(values: readonly (readonly [string, unknown])[]): BoundParameters {
  return new Map(values.map(([name, value]) => [name, boundValue(value)]));
}

/** A number of JSON that is none of ours, and why. */
class BadInteger {
  readonly fault: string;

  constructor(what: string) {
    this.fault = what;
  }
}

function decodeObject(json: string): Readonly<Record<string, unknown>> {
  let decoded: unknown;
  try {
    decoded = JSON.parse(json, reviveNumber);
  } catch (cause) {
    throw badParameters(`query parameters: ${cause instanceof Error ? cause.message : ""}`);
  }
  if (decoded === null) return {};
  if (isObject(decoded) && !(decoded instanceof BadInteger)) return decoded;
  throw badParameters("query parameters: they are no JSON object");
}

/** With the digits of numbers, which the third argument has. */
function reviveNumber(_key: string, value: unknown, ...[context]: readonly unknown[]): unknown {
  if (typeof value !== "number") return value;
  const source = isObject(context) ? context["source"] : undefined;
  return numberOf(typeof source === "string" ? source : String(value));
}

function numberOf(source: string): number | bigint | BadInteger {
  if (source.includes(".")) return Number(source);
  const parsing = `strconv.ParseInt: parsing "${source}"`;
  if (!/^-?\d+$/.test(source)) return new BadInteger(`${parsing}: invalid syntax`);
  const value = wholeNumber(source);
  return BigInt.asIntN(64, value) === value
    ? value
    : new BadInteger(`${parsing}: value out of range`);
}

function badParameters(what: string): DbError {
  return new DbError("invalid", "influxql_parameters", `error parsing ${what}`);
}

function boundValue(value: unknown): BoundValue {
  switch (typeof value) {
    case "bigint":
      return { kind: "integer", text: String(value) };
    case "number":
      return { kind: "number", text: plainNumber(value) };
    case "string":
      return { kind: "string", text: value };
    case "boolean":
      return { kind: value ? "TRUE" : "FALSE", text: "" };
    default:
      return isObject(value) ? boundObject(value) : noValue(typeName(value));
  }
}

function boundObject(entries: Readonly<Record<string, unknown>>): BoundValue {
  const [first, ...others] = Object.entries(entries);
  if (first === undefined || others.length > 0) {
    return fault("bound object parameter value must have exactly one entry");
  }
  const [kind, value] = first;
  if (value instanceof BadInteger) return fault(value.fault);
  switch (kind) {
    case "ident":
    case "identifier":
      return typeof value === "string"
        ? { kind: "name", text: value }
        : fault("identifier must be a string value");
    case "regex":
      return typeof value === "string"
        ? { kind: "regex", text: value }
        : fault("regex literal must be a string value");
    case "string":
      return typeof value === "string"
        ? { kind: "string", text: value }
        : fault("string literal must be a string value");
    case "float":
    case "number":
      return boundFloat(value);
    case "int":
    case "integer":
      return boundInteger(value);
    case "duration":
      return boundDuration(value);
    default:
      return fault(`unknown bind object type: ${kind}`);
  }
}

function boundFloat(value: unknown): BoundValue {
  return typeof value === "number" || typeof value === "bigint"
    ? { kind: "number", text: plainNumber(Number(value)) }
    : fault("number literal must be a float value");
}

function boundInteger(value: unknown): BoundValue {
  if (typeof value === "bigint") return { kind: "integer", text: String(value) };
  return typeof value === "number" && Number.isSafeInteger(value)
    ? { kind: "integer", text: String(value) }
    : fault("integer literal must be an integer value");
}

function boundDuration(value: unknown): BoundValue {
  if (typeof value === "bigint") return { kind: "duration", text: durationText(value) };
  return typeof value === "string"
    ? { kind: "duration", text: value }
    : fault("duration literal must be a string or integer value");
}

function noValue(type: string): BoundValue {
  return fault(`unable to bind parameter with type ${type}`);
}

function fault(text: string): BoundValue {
  return { kind: "parameter", text };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** As 1.x calls what JSON has. */
function typeName(value: unknown): string {
  return Array.isArray(value) ? "[]interface {}" : "<nil>";
}
