/** Local times of zones as engine SQL. Arguments are SQL of type BIGINT, nanoseconds; each is computed once. */
import { assert } from "#base/errors.ts";
import { findZone, type Zone } from "#model/time/zone.ts";
import { DAY_NS } from "#model/time-units.ts";
import { printLet } from "../functions/let.ts";
import { printText } from "../literal.ts";

/** The zone of a type, which the planner has found to be one. */
export function zoneOf(name: string): Zone {
  const zone = findZone(name);
  assert(zone !== undefined, `${name} is a time zone`);
  return zone;
}

/** Local time in `zone` at an instant. */
export function printLocal(time: string, zone: Zone): string {
  if (zone.fixedNs !== undefined) return printShifted(time, zone.fixedNs);
  return printLet([time], (t) => `(${t} + ${printOffset(t, zone)})`);
}

/** The one instant at which local time in `zone` is `local`; NULL where there is none, or two. */
export function printInstant(local: string, zone: Zone): string {
  if (zone.fixedNs !== undefined) return printShifted(local, -zone.fixedNs);
  return printLet([local], (l) => {
    const before = `${l} - ${printOffset(`(${l} - ${DAY_NS})`, zone)}`;
    const after = `${l} - ${printOffset(`(${l} + ${DAY_NS})`, zone)}`;
    return printLet([l, before, after], (same, b, a) => {
      const holds = (instant: string) => `${printOffset(instant, zone)} = ${same} - ${instant}`;
      return (
        `CASE WHEN ${holds(b)} THEN CASE WHEN ${a} = ${b} OR NOT (${holds(a)}) THEN ${b} END ` +
        `WHEN ${holds(a)} THEN ${a} END`
      );
    });
  });
}

/** What `step` makes of the local time at `time`, as an instant: see `printNearest`. */
export function printOnWallClock(
  time: string,
  zone: Zone,
  step: (local: string) => string,
  longerThan?: bigint,
): string {
  if (zone.fixedNs !== undefined) {
    return printShifted(step(printShifted(time, zone.fixedNs)), -zone.fixedNs);
  }
  return printLet([time], (t) =>
    printLet([t, printOffset(t, zone)], (same, offset) =>
      printNearest(step(`(${same} + ${offset})`), offset, zone, longerThan),
    ),
  );
}

/**
 * The instant at which local time in `zone` is `local`. Of two such instants, it is the one with this `offset`; a local time that clocks
 * passed over counts from the last one before it. With `longerThan`, of two instants that lie closer together than this length
 * it is the first.
 */
export function printNearest(
  local: string,
  offset: string,
  zone: Zone,
  longerThan?: bigint,
): string {
  return printLet([local, offset], (l, o) =>
    printLet([l, o, printOffset(`(${l} - ${o})`, zone)], (same, known, guess) => {
      const there = printOffset(`(${same} - ${guess})`, zone);
      const own = `CASE WHEN ${guess} = ${known} OR ${there} = ${guess} THEN ${guess} ELSE least(${known}, ${guess}) END`;
      const instant = `${same} - ${own}`;
      return longerThan === undefined ? instant : printEarlier(same, instant, zone, longerThan);
    }),
  );
}

function printEarlier(local: string, instant: string, zone: Zone, longerThan: bigint): string {
  const earlier = `${local} - ${printOffset(`(${local} - ${DAY_NS})`, zone)}`;
  return printLet([local, instant, earlier], (l, i, e) => {
    const isOne = `${e} < ${i} AND ${longerThan} > ${i} - ${e} AND ${printOffset(e, zone)} = ${l} - ${e}`;
    return `CASE WHEN ${isOne} THEN ${e} ELSE ${i} END`;
  });
}

/** The offset from UTC at an instant. */
export function printOffsetAt(time: string, zone: Zone): string {
  return printLet([time], (t) => printOffset(t, zone));
}

/** How far local time is ahead of UTC; `time` is named often. Offsets are whole seconds. */
function printOffset(time: string, zone: Zone): string {
  const micros = `(${time} // 1000 - CASE WHEN ${time} % 1000 < 0 THEN 1 ELSE 0 END)`;
  const local = `epoch_us(timezone(${printText(zone.id)}, make_timestamptz(${micros})))`;
  return `((${local} - ${micros}) * 1000)`;
}

function printShifted(time: string, by: bigint): string {
  return by === 0n ? time : `(${time} + CAST(${by} AS BIGINT))`;
}
