/** Values of one type as values of another. */
import { floorDivide } from "#base/divide.ts";
import { DbError } from "#base/errors.ts";
import type { ValueType } from "#model/query/value-type.ts";
import { formatDurationParts, formatIntervalParts } from "#model/time/interval-text.ts";
import { fits } from "./arithmetic.ts";
import { knownType, type Present } from "./value.ts";

const WHOLE = /^[+-]?\d+$/;
/** With one way to match each text: others take the square of its digits. */
const FLOAT = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;
const NOT_FINITE = /^([+-]?)(nan|inf|infinity)$/i;
const INSTANT =
  /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?)?(Z|[+-]\d{2}:\d{2})?$/;
const TRUE_TEXTS = new Set("true tru tr t yes ye y on 1".split(" "));
const FALSE_TEXTS = new Set("false fals fal fa f no n off of 0".split(" "));

/** `value` of type `source` as `target`; undefined where it does not fit. */
export function cast(value: Present, source: ValueType, target: ValueType): Present | undefined {
  if (source === target) return value;
  const type = knownType(target);
  switch (type) {
    case "boolean":
      return toBoolean(value);
    case "int64":
    case "uint64":
      return toWhole(value, type);
    case "float64":
      return toFloat(value);
    case "string":
      return toText(value, source);
    case "timestamp":
      return typeof value === "string" ? parseInstant(value) : toWhole(value, target);
    case "null":
    case "duration":
    case "interval":
      throw new DbError("internal", "assertion_failed", `no cast to ${type}`);
  }
}

/** `value` in an error a user reads. */
export function castFailed(value: Present, target: ValueType): DbError {
  return new DbError(
    "invalid",
    "cast_failed",
    `${describe(value)} does not fit into ${knownType(target)}`,
  );
}

function describe(value: Present): string {
  return typeof value === "string" ? `"${value.slice(0, 100)}"` : toText(value, "null");
}

function toBoolean(value: Present): boolean | undefined {
  if (typeof value !== "string") return typeof value === "bigint" ? value !== 0n : value !== 0;
  const text = value.toLowerCase();
  if (TRUE_TEXTS.has(text)) return true;
  return FALSE_TEXTS.has(text) ? false : undefined;
}

function toWhole(value: Present, target: ValueType): bigint | undefined {
  const whole = wholeWithout(value);
  return whole !== undefined && fits(whole, target) ? whole : undefined;
}

/** Toward zero, without a limit. */
function wholeWithout(value: Present): bigint | undefined {
  if (typeof value === "bigint") return value;
  if (typeof value === "boolean") return value ? 1n : 0n;
  if (typeof value === "string") {
    return WHOLE.test(value) ? BigInt(value.replace(/^\+/, "")) : undefined;
  }
  return Number.isFinite(value) ? BigInt(Math.trunc(value as number)) : undefined;
}

function toFloat(value: Present): number | undefined {
  if (typeof value !== "string") return Number(value);
  if (FLOAT.test(value)) return Number(value);
  const [, sign, name] = NOT_FINITE.exec(value) ?? [];
  if (name === undefined) return undefined;
  if (name.toLowerCase() === "nan") return Number.NaN;
  return sign === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

function toText(value: Present, source: ValueType): string {
  if (typeof value === "object") return formatIntervalParts(value);
  if (typeof value === "bigint" && source === "timestamp") return instantText(value);
  if (typeof value === "bigint" && source === "duration") return formatDurationParts(value);
  const text = String(value);
  // A float shows that it is one.
  return typeof value === "number" && /^-?\d+$/.test(text) ? `${text}.0` : text;
}

/** As RFC 3339 without a zone; the fraction has 0, 3, 6 or 9 digits. */
function instantText(time: bigint): string {
  const seconds = floorDivide(time, 1_000_000_000n);
  const rest = time - seconds * 1_000_000_000n;
  const text = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  if (rest === 0n) return text;
  return `${text}.${String(rest)
    .padStart(9, "0")
    .replace(/(000){1,2}$/, "")}`;
}

/** A date, or a date and a time of day with up to nine digits of fraction and maybe a zone; UTC without one. */
function parseInstant(text: string): bigint | undefined {
  const [match, date, minute = "00:00", second = "00", fraction = "", zone = "Z"] =
    INSTANT.exec(text) ?? [];
  if (match === undefined) return undefined;
  const local = Date.parse(`${date}T${minute}:${second}Z`);
  // Date.parse takes February 30 for March.
  if (Number.isNaN(local) || new Date(local).toISOString().slice(0, 10) !== date) return undefined;
  const seconds = Date.parse(`${date}T${minute}:${second}${zone}`) / 1000;
  if (Number.isNaN(seconds)) return undefined;
  const time = BigInt(seconds) * 1_000_000_000n + BigInt(fraction.padEnd(9, "0"));
  return fits(time, "timestamp") ? time : undefined;
}
