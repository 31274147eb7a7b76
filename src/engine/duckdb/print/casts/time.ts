/** Casts from and to dates, times of day, timestamps, durations and intervals as engine SQL. */
import { isTimestamp, type TimeUnit, type ValueType } from "#model/query/value-type.ts";
import { DAY_NS, UNIT_NS } from "#model/time-units.ts";
import type { CastRequest } from "../cast.ts";
import { printLet } from "../functions/let.ts";
import { printText, sqlType } from "../literal.ts";
import { printCalendar, printFloorModulo } from "../time.ts";
import { printInstant, printLocal, zoneOf } from "./zone.ts";

/** What the engine reads itself. */
const INSTANT =
  "[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\\.[0-9]{1,9})?)?)?(Z|[+-][0-9]{2}:[0-9]{2})?";

const TIMES: ReadonlySet<ValueType> = new Set(["date", "time", "duration", "interval"]);

/** Whether a cast from or to `type` is one of these. */
export function isTime(type: ValueType): boolean {
  return isTimestamp(type) || TIMES.has(type);
}

/** Whether `printTimeCast` gives NULL where a value does not fit, safe or not: a local time that is no instant, months in a duration. */
export function isNullable({ source, target }: CastRequest): boolean {
  if (source === "interval") return true;
  const local = source === "date" || (isTimestamp(source) && zoneName(source) === undefined);
  return local && zoneName(target) !== undefined;
}

/** A cast of which one side `isTime`, but not from or to text. */
export function printTimeCast(request: CastRequest): string {
  const { operand, source, target } = request;
  if (isTimestamp(target)) return printToTimestamp(request, target);
  switch (target) {
    case "date":
      return printToDate(request);
    case "time":
      return isTimestamp(source)
        ? printFloorModulo(printLocalOf(operand, source), DAY_NS)
        : printWhole(request, operand);
    case "interval":
      return `(CASE WHEN ${operand} IS NOT NULL THEN {'m': CAST(0 AS BIGINT), 'n': ${operand}} END)`;
    case "duration":
      return source === "interval" ? printRest(operand) : printWhole(request, operand);
    default:
      return printWhole(request, printCount(operand, source));
  }
}

/** Text as `target`; NULL where it is none. */
export function printTimeOfText(operand: string, target: ValueType): string {
  if (isTimestamp(target)) return printInstantOfText(operand, target);
  switch (target) {
    case "date":
      return `tl_read_date(${operand})`;
    case "time":
      return `tl_read_time(${operand})`;
    case "duration":
      return printRest(printIntervalOfText(operand));
    default:
      return printIntervalOfText(operand);
  }
}

/** As Arrow shows it. */
export function printTextOfTime(operand: string, source: ValueType): string {
  if (isTimestamp(source)) {
    if (zoneName(source) === undefined) return printInstantText(operand);
    return `tl_write_instant(${operand}, '%+', ${printZoneName(source)})`;
  }
  switch (source) {
    case "date":
      return `tl_write_date(${operand})`;
    case "time":
      return `substr(${printInstantText(operand)}, 12)`;
    case "duration":
      return `tl_write_duration(${operand})`;
    default:
      return `tl_write_interval((${operand}).m, (${operand}).n)`;
  }
}

/** The name of a timestamp's zone as SQL text, empty without one. */
export function printZoneName(type: ValueType): string {
  return printText(zoneName(type) ?? "");
}

/** Local time at a timestamp, or the timestamp itself where it has no zone. */
export function printLocalOf(time: string, type: ValueType): string {
  const zone = zoneName(type);
  return zone === undefined ? time : printLocal(time, zoneOf(zone));
}

/** A timestamp cut to what `type` counts. */
export function printInUnit(time: string, type: ValueType): string {
  const unit = UNIT_NS[unitOf(type)];
  return unit === 1n ? time : printTruncated(time, unit);
}

export function zoneName(type: ValueType): string | undefined {
  return typeof type === "object" && type.kind === "timestamp" ? type.zone : undefined;
}

function unitOf(type: ValueType): TimeUnit {
  return typeof type === "object" && type.kind === "timestamp" ? type.unit : "nanosecond";
}

function printToTimestamp(request: CastRequest, target: ValueType): string {
  const { operand, source } = request;
  const unit = UNIT_NS[unitOf(target)];
  if (isTimestamp(source)) {
    const finer = unit > UNIT_NS[unitOf(source)];
    const instant = finer ? printTruncated(operand, unit) : operand;
    return zoneName(source) === undefined ? printInZone(instant, target) : instant;
  }
  if (source === "date") {
    return printInZone(printWhole(request, `CAST(${operand} AS HUGEINT) * ${DAY_NS}`), target);
  }
  const count = isFraction(source) ? `trunc(${operand})` : operand;
  if (unit === 1n) return printWhole(request, count);
  const wide = request.safe ? "TRY_CAST" : "CAST";
  return printWhole(request, `${wide}(${count} AS HUGEINT) * ${unit}`);
}

/** A local time as the instant it is in the zone of `target`; as it is without a zone. */
function printInZone(local: string, target: ValueType): string {
  const zone = zoneName(target);
  return zone === undefined ? local : printInstant(local, zoneOf(zone));
}

function printToDate(request: CastRequest): string {
  const { operand, source } = request;
  if (!isTimestamp(source)) return printWhole(request, operand);
  return printLet(
    [printLocalOf(operand, source)],
    (t) => `CAST(${t} // ${DAY_NS} - CASE WHEN ${t} % ${DAY_NS} < 0 THEN 1 ELSE 0 END AS INTEGER)`,
  );
}

/** What a whole number of this is: timestamps in their unit. */
function printCount(operand: string, source: ValueType): string {
  const unit = isTimestamp(source) ? UNIT_NS[unitOf(source)] : 1n;
  return unit === 1n ? operand : `(${operand} // ${unit})`;
}

function printWhole({ safe, target }: CastRequest, value: string): string {
  return `${safe ? "TRY_CAST" : "CAST"}(${value} AS ${sqlType(target)})`;
}

/** An interval without months as its nanoseconds; NULL with them. */
function printRest(interval: string): string {
  return printLet([interval], (i) => `CASE WHEN (${i}).m = 0 THEN (${i}).n END`);
}

function printInstantOfText(operand: string, target: ValueType): string {
  const read = `tl_read_instant(${operand}, ${printZoneName(target)})`;
  const own = `CASE WHEN regexp_full_match(${operand}, '${INSTANT}') THEN epoch_ns(TRY_CAST(${operand} AS TIMESTAMP_NS)) ELSE ${read} END`;
  const instant = zoneName(target) === undefined ? own : read;
  return printInUnit(instant, target);
}

function printIntervalOfText(operand: string): string {
  const rest = `tl_read_rest(${operand})`;
  return `(CASE WHEN ${rest} IS NOT NULL THEN {'m': tl_read_months(${operand}), 'n': ${rest}} END)`;
}

function printTruncated(time: string, unit: bigint): string {
  return `(${time} // ${unit} * ${unit})`;
}

function isFraction(type: ValueType): boolean {
  if (typeof type === "object") return type.kind === "decimal";
  return type === "float32" || type === "float64";
}

/** As RFC 3339 without a zone; the fraction has 0, 3, 6 or 9 digits. */
function printInstantText(time: string): string {
  const rest = printFloorModulo(time, 1_000_000_000n);
  const digits = (divisor: number, count: number) =>
    `'.' || lpad(CAST(${rest} // ${divisor} AS VARCHAR), ${count}, '0')`;
  const fraction = `CASE WHEN ${rest} = 0 THEN '' WHEN ${rest} % 1000000 = 0 THEN ${digits(1_000_000, 3)} WHEN ${rest} % 1000 = 0 THEN ${digits(1_000, 6)} ELSE ${digits(1, 9)} END`;
  return `(strftime(${printCalendar(time)}, '%Y-%m-%dT%H:%M:%S') || ${fraction})`;
}
