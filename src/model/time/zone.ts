/** Time zones: names of the IANA database, and offsets from UTC. */
import { DAY_NS, HOUR_NS, MINUTE_NS } from "../time-units.ts";

const OFFSET = /^([+-])(\d{2}):?(\d{2})?$/;
const NAME = /^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+)*$/;
const UTC_NAMES = new Set(["UTC", "Etc/UTC", "Z", "GMT", "Etc/GMT"]);

/** How many stretches of a zone are kept: of thirty years where clocks change twice a year. */
const STRETCHES_MAX = 64;

/** A stretch of time, `start` inclusive, in which a zone has one offset; without a bound where that is undefined. */
export interface Stretch {
  readonly start: bigint | undefined;
  readonly end: bigint | undefined;
  readonly offsetNs: bigint;
}

/** What local time is in a zone. Instants are nanoseconds since the Unix epoch, local times the same as if in UTC. */
export class Zone {
  /** As the IANA database spells it, or an offset as `+01:00`. */
  readonly id: string;
  /** The zone's only offset from UTC; undefined where it has several. */
  readonly fixedNs: bigint | undefined;
  /** The one that was asked for last, and those before it. */
  #stretch: Stretch | undefined;
  readonly #known: Stretch[] = [];

  constructor(id: string, fixedNs: bigint | undefined) {
    this.id = id;
    this.fixedNs = fixedNs;
  }

  /** How far local time is ahead of UTC at an instant. */
  offsetAt(timeNs: bigint): bigint {
    return this.fixedNs ?? this.stretchAt(timeNs).offsetNs;
  }

  /** The time around an instant in which clocks do not change. */
  stretchAt(timeNs: bigint): Stretch {
    if (this.#stretch === undefined || !holds(this.#stretch, timeNs)) {
      this.#stretch = this.#known.find((known) => holds(known, timeNs)) ?? this.#find(timeNs);
    }
    return this.#stretch;
  }

  /** The offsets that instants from `startNs` to `endNs` have, both included, one after the other. */
  *offsetsWithin(startNs: bigint, endNs: bigint): Generator<bigint> {
    let next: bigint | undefined = startNs;
    while (next !== undefined && next <= endNs) {
      const { end, offsetNs } = this.stretchAt(next);
      yield offsetNs;
      next = end;
    }
  }

  localAt(timeNs: bigint): bigint {
    return timeNs + this.offsetAt(timeNs);
  }

  /** The instants at which local time is `localNs`, in order: none in a gap, two where clocks were set back. */
  instantsOf(localNs: bigint): readonly bigint[] {
    const early = localNs - this.offsetAt(localNs - DAY_NS);
    const late = localNs - this.offsetAt(localNs + DAY_NS);
    const found = early === late ? [early] : [early, late];
    return found.filter((instant) => this.localAt(instant) === localNs);
  }

  #find(timeNs: bigint): Stretch {
    const found: Stretch =
      this.fixedNs === undefined
        ? findStretch(this.id, timeNs)
        : { start: undefined, end: undefined, offsetNs: this.fixedNs };
    this.#known.push(found);
    if (this.#known.length > STRETCHES_MAX) this.#known.shift();
    return found;
  }
}

/** The zone of an IANA name, in any case, or of an offset: `+01:00`, `+0100` or `+01`. Undefined where there is none. */
export function findZone(text: string): Zone | undefined {
  const offset = OFFSET.exec(text);
  if (offset !== null) return offsetZone(offset);
  if (!NAME.test(text)) return undefined;
  const id = findId(text);
  if (id === undefined) return undefined;
  return new Zone(id, UTC_NAMES.has(id) ? 0n : undefined);
}

function offsetZone([, sign, hours = "", minutes = "00"]: RegExpExecArray): Zone | undefined {
  if (Number(hours) > 23 || Number(minutes) > 59) return undefined;
  const size = BigInt(hours) * HOUR_NS + BigInt(minutes) * MINUTE_NS;
  return new Zone(`${sign}${hours}:${minutes}`, sign === "-" ? -size : size);
}

function findId(name: string): string | undefined {
  if (name.toUpperCase() === "Z") return "UTC";
  try {
    return new Temporal.ZonedDateTime(0n, name).timeZoneId;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function holds({ start, end }: Stretch, timeNs: bigint): boolean {
  return (start === undefined || timeNs >= start) && (end === undefined || timeNs < end);
}

function findStretch(id: string, timeNs: bigint): Stretch {
  const at = new Temporal.ZonedDateTime(timeNs, id);
  // The transition before an instant is never at it.
  const start = new Temporal.ZonedDateTime(timeNs + 1n, id).getTimeZoneTransition("previous");
  return {
    start: start?.epochNanoseconds,
    end: at.getTimeZoneTransition("next")?.epochNanoseconds,
    offsetNs: BigInt(at.offsetNanoseconds),
  };
}
