import type { World } from "./world.ts";

export const DATABASE = "db";
/** This one, or its tables, are dropped now and then; the next write makes them anew. */
export const DROPPED_DATABASE = "dropped";

const TABLES = ["t0", "t1"];
/** How often writes begin a table that nobody has heard of. */
const LATE_TABLE_MS = 6_000;
export const START_NS = 1_767_225_600_000_000_000n;
const SECOND_NS = 1_000_000_000n;

/** A line, and what it says. */
export interface WrittenLine {
  readonly text: string;
  readonly database: string;
  readonly table: string;
  /** Its tag. */
  readonly host: string;
  readonly timeNs: bigint;
}

/** What clients of a world write and ask for: few series and times, so that writes meet each other. */
export class Workload {
  readonly #world: World;
  #lineCount = 0;

  constructor(world: World) {
    this.#world = world;
  }

  /** A table that was there from the beginning, or one of the time being. */
  table(): string {
    const world = this.#world;
    if (world.chance(0.2)) return `late${Math.floor(world.nowMs / LATE_TABLE_MS)}`;
    return TABLES[world.below(TABLES.length)] as string;
  }

  /** A line with a number that no other has. */
  line(): WrittenLine {
    const world = this.#world;
    const number = ++this.#lineCount;
    const host = "ab"[world.below(2)] as string;
    const timeNs = START_NS + BigInt(world.below(6)) * SECOND_NS;
    const field = `f${world.below(3)}`;
    // Two nodes may meet the same new column with different types: one type stays.
    const typed = world.chance(0.1)
      ? `,g${world.below(4)}=${number}${world.chance(0.5) ? "i" : ""}`
      : "";
    const table = this.table();
    const text = `${table},k=${host} ${field}=${number}i${typed} ${timeNs}`;
    return { text, database: DATABASE, table, host, timeNs };
  }

  /** A line of the database that is dropped. It may be stored twice, in the old one and the new, so it has no number to look for. */
  droppedLine(): WrittenLine {
    const number = ++this.#lineCount;
    const timeNs = START_NS + BigInt(number % 7) * SECOND_NS;
    const text = `m,k=a f=${number} ${timeNs}`;
    return { text, database: DROPPED_DATABASE, table: "m", host: "a", timeNs };
  }
}
