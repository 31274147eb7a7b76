import type { World } from "./world.ts";

export const DATABASE = "db";
/** This one, or its tables, are dropped now and then; the next write makes them anew. */
export const DROPPED_DATABASE = "dropped";

const TABLES = ["t0", "t1"];
/** How often writes begin a table that nobody has heard of. */
const LATE_TABLE_MS = 6_000;
const START_NS = 1_767_225_600_000_000_000n;
const SECOND_NS = 1_000_000_000n;

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
  line(): { readonly text: string } {
    const world = this.#world;
    const number = ++this.#lineCount;
    const tag = `k=${"ab"[world.below(2)]}`;
    const time = START_NS + BigInt(world.below(6)) * SECOND_NS;
    const field = `f${world.below(3)}`;
    // Two nodes may meet the same new column with different types: one type stays.
    const typed = world.chance(0.1)
      ? `,g${world.below(4)}=${number}${world.chance(0.5) ? "i" : ""}`
      : "";
    return { text: `${this.table()},${tag} ${field}=${number}i${typed} ${time}` };
  }

  /** A line of the database that is dropped. It may be stored twice, in the old one and the new, so it has no number to look for. */
  droppedLine(): { readonly text: string } {
    const number = ++this.#lineCount;
    return { text: `m,k=a f=${number} ${START_NS + BigInt(number % 7) * SECOND_NS}` };
  }
}
