/** Instants as InfluxQL writes them between single quotes. */
import { dayOfCivil } from "#model/time/date.ts";
import { findZone, type Zone } from "#model/time/zone.ts";
import { formatTimestamp } from "#model/time-text.ts";
import { DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS } from "#model/time-units.ts";
import type { LiteralExpression } from "../ast.ts";

const DATE = /^\d{4}-\d{2}-\d{2}$/;
const DATE_TIME = /^\d{4}-\d{2}-\d{2}.+/u;
const PARTS =
  /^(\d{4})-(\d{2})-(\d{2})(?:( )(\d{1,2}):(\d{2}):(\d{2})(?:[.,](\d+))?|(T)(\d{1,2}):(\d{2}):(\d{2})(?:[.,](\d+))?(Z|[+-]\d{2}:\d{2}))?$/;

/** Whether `text` is taken for an instant where it is compared with one. */
export function looksLikeTime(text: string): boolean {
  return DATE.test(text) || DATE_TIME.test(text);
}

/** The instant that `text` means, in `zone` where it names none; undefined where it looks like one but is none, or does not look like one. */
export function timeLiteral(text: string, zone?: string): LiteralExpression | undefined {
  const match = PARTS.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, space, ...rest] = match;
  const days = dayOfCivil({ year: Number(year), month: Number(month), day: Number(day) });
  const clock = space === undefined ? rest.slice(5) : rest.slice(0, 4);
  const sinceMidnight = clockNs(clock);
  if (days === undefined || sinceMidnight === undefined) return undefined;
  const local = BigInt(days) * DAY_NS + sinceMidnight;
  const offset = rest[9];
  if (offset === undefined) return { kind: "time", value: instantIn(local, zone) };
  const ahead = offsetNs(offset);
  return ahead === undefined ? undefined : { kind: "time", value: local - ahead };
}

function clockNs([hour = "0", minute = "0", second = "0", fraction = ""]: readonly (
  | string
  | undefined
)[]): bigint | undefined {
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  const below = BigInt(fraction.slice(0, 9).padEnd(9, "0"));
  return BigInt(hour) * HOUR_NS + BigInt(minute) * MINUTE_NS + BigInt(second) * SECOND_NS + below;
}

function offsetNs(text: string): bigint | undefined {
  if (text === "Z") return 0n;
  const [hours, minutes] = [Number(text.slice(1, 3)), Number(text.slice(4))];
  if (hours > 23 || minutes > 59) return undefined;
  const size = BigInt(hours) * HOUR_NS + BigInt(minutes) * MINUTE_NS;
  return text.startsWith("-") ? -size : size;
}

/** The instant at which clocks show `localNs`; where they are set on, by the offset before; where they are set back, the first. */
function instantIn(localNs: bigint, name: string | undefined): bigint {
  const zone: Zone | undefined = name === undefined ? undefined : findZone(name);
  if (zone === undefined) return localNs;
  const [instant] = zone.instantsOf(localNs);
  return instant ?? localNs - zone.offsetAt(localNs - DAY_NS);
}

/** An instant as 1.x's error texts show it; fractions of seconds are left out. */
export function formatSeconds(timeNs: bigint): string {
  return `${formatTimestamp(timeNs).slice(0, 19)}Z`;
}
