import { durationOf, durationText } from "./duration.ts";
import type { Token } from "./tokens.ts";

/** What stands for `$name`: a token, or one of kind `parameter` whose text says why there is none. */
type BoundValue = Pick<Token, "kind" | "text">;

export type BoundParameters = ReadonlyMap<string, BoundValue>;

/**
 * Binds values of JSON: numbers, texts, booleans, and objects of one entry that says what its value is: `{"regex": "^a"}`, `{"identifier":
 * "a b"}`, `{"duration": "10s"}`. Whole numbers are integers when they are bigint. A value that cannot be bound fails where it is used, as in 1.x.
 */
export function bindParameters(values: Readonly<Record<string, unknown>>): BoundParameters {
  return new Map(Object.entries(values).map(([name, value]) => [name, boundValue(value)]));
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
      return { kind: value ? "TRUE" : "FALSE", text: String(value) };
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
  if (typeof value !== "string") return fault("duration literal must be a string or integer value");
  const duration = durationOf(value);
  return typeof duration === "bigint"
    ? { kind: "duration", text: durationText(duration) }
    : fault(duration.fault);
}

/** Without an exponent. */
function plainNumber(value: number): string {
  const text = String(value);
  const [, sign = "", first = "", fraction = "", exponent] =
    /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text) ?? [];
  if (exponent === undefined) return text;
  const digits = first + fraction;
  const point = 1 + Number(exponent);
  if (point <= 0) return `${sign}0.${"0".repeat(-point)}${digits}`;
  return sign + digits.padEnd(point, "0");
}

function noValue(type: string): BoundValue {
  return fault(`unable to bind parameter with type ${type}`);
}

function fault(text: string): BoundValue {
  return { kind: "parameter", text: `$${text}` };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** As 1.x calls what JSON has. */
function typeName(value: unknown): string {
  return Array.isArray(value) ? "[]interface {}" : "<nil>";
}
