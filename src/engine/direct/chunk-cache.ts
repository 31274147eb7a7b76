/** Decoded columns of row groups, kept while there is room; those that were used least recently go. */
import { setImmediate } from "node:timers/promises";
import type { ColumnId } from "#model/ids.ts";
import type { ScanColumn } from "#model/query/plan.ts";
import { TIME_COLUMN_ID } from "#model/schema.ts";
import type { TimeRange } from "#model/time-range.ts";
import type { StoredGroup } from "#parquet/read/footer.ts";
import type { TextRuns } from "#parquet/read/text-runs.ts";
import type { OpenFile, TextBounds } from "../duckdb/compaction/open-file.ts";
import {
  type Numbers,
  numbersFrom,
  type Runs,
  runsOf,
  type Times,
  timesFrom,
  timesOf,
} from "./chunk.ts";

/** What is kept of one row group, by name; null is what cannot be had in that form. */
interface Kept {
  readonly value: readonly ToldGroup[] | Times | Runs | Numbers | null;
  readonly sizeBytes: number;
}

/** A row group, and what its file tells of the rows in it. */
export interface ToldGroup {
  readonly group: StoredGroup;
  readonly time: TimeRange;
  /** By column id. */
  readonly texts: ReadonlyMap<number, TextBounds>;
}

/** About what is kept of a thing beside its bytes, and of what a file says of a chunk. */
const ENTRY_SIZE = 200;
const CHUNK_SIZE = 400;
/** What decoding so many rows takes is less than what the other engine takes for a question: some ten milliseconds. */
const COLD_ROW_COUNT_MAX = 2 ** 18;
/** What is kept of a row for its time, and for each number. */
const CELL_SIZE = 8;

/** A row group of a file. Data files never change and their keys are used once, so what is kept of one stays true. */
export interface GroupOfFile {
  readonly key: string;
  readonly index: number;
  readonly group: StoredGroup;
  /** Opens the file, for what is not kept. Rejects as OpenFile throws, and where the file cannot be had. */
  readonly open: () => Promise<OpenFile>;
}

/** A row group, and the columns of numbers that a question reads there. */
export interface AskedGroup {
  readonly group: GroupOfFile;
  readonly numberIds: readonly ColumnId[];
}

export class ChunkCache {
  readonly #sizeMax: number;
  readonly #kept = new Map<string, Kept>();
  #sizeBytes = 0;
  /** What row groups that were asked for would take, the latest last: as much as is kept. */
  readonly #asked = new Map<string, number>();
  #askedBytes = 0;

  /** Keeps up to `sizeMax` bytes. */
  constructor(sizeMax: number) {
    this.#sizeMax = sizeMax;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /**
   * Whether to decode what is not kept of `groups`: where it is little, or most of it was asked for before, so lately that it would
   * still be here. For what is asked for once, the other engine is many times faster.
   */
  admits(asked: readonly AskedGroup[]): boolean {
    const missing = asked.filter(
      ({ group, numberIds }) =>
        !this.#kept.has(placeOf(group, "times")) ||
        numberIds.some((id) => !this.#kept.has(placeOf(group, numbersName(id)))),
    );
    const rowCount = missing.reduce((sum, { group }) => sum + group.group.rowCount, 0);
    if (rowCount <= COLD_ROW_COUNT_MAX) return true;
    const known = missing.filter((one) => this.#noteAsked(one));
    return 2 * known.length >= missing.length;
  }

  /** Undefined where the times cannot be had as floats. Throws as OpenFile does. */
  times(group: GroupOfFile): Promise<Times | undefined> {
    return this.#get(group, "times", (file) => {
      const times = readTimes(file, group.group);
      return kept(times, times?.offsets.byteLength);
    });
  }

  /** Undefined where the rows are not sorted by series and time. */
  runs(group: GroupOfFile, tagIds: readonly ColumnId[], times: Times): Promise<Runs | undefined> {
    return this.#get(group, "runs", async (file) => {
      const tags = new Map<ColumnId, TextRuns>();
      for (const id of tagIds) {
        const texts = file.readTexts(group.group, id);
        if (texts !== undefined) tags.set(id, texts);
        // To decode a column takes milliseconds, in which nothing else goes on.
        await setImmediate();
      }
      const runs = runsOf(tags, times);
      return kept(runs, runs && sizeOfRuns(runs));
    });
  }

  /** Of a column of numbers that the file has; undefined where they cannot be had as floats. */
  numbers(group: GroupOfFile, { id, kind }: ScanColumn): Promise<Numbers | undefined> {
    return this.#get(group, numbersName(id), (file) => {
      const cells = file.read(group.group, id);
      const numbers = cells && numbersFrom(cells, kind === "uinteger");
      return kept(numbers, numbers && numbers.values.byteLength + (numbers.present?.length ?? 0));
    });
  }

  /** The row groups of a file. */
  async groups(key: string, open: () => Promise<OpenFile>): Promise<readonly ToldGroup[]> {
    const group = { key, index: -1, open };
    const found = await this.#get<readonly ToldGroup[]>(group, "groups", (file) => {
      const groups = file.groups.map((stored): ToldGroup => {
        const texts = file.textBoundsOf(stored);
        return { group: stored, time: file.timeOf(stored), texts };
      });
      const chunkCount = groups.reduce((count, stored) => count + stored.group.chunks.length, 0);
      return kept(groups, chunkCount * CHUNK_SIZE);
    });
    return found ?? [];
  }

  async #get<Value extends Exclude<Kept["value"], null>>(
    { key, index, open }: Pick<GroupOfFile, "key" | "index" | "open">,
    name: string,
    make: (file: OpenFile) => Kept | Promise<Kept>,
  ): Promise<Value | undefined> {
    const place = placeOf({ key, index }, name);
    const known = this.#kept.get(place);
    const found = known ?? (await this.#make(open, make));
    // Another query may have put it there meanwhile.
    if (this.#kept.delete(place)) this.#kept.set(place, known ?? found);
    else this.#add(place, found);
    return (found.value ?? undefined) as Value | undefined;
  }

  /** Answers whether it was asked for lately. */
  #noteAsked({ group, numberIds }: AskedGroup): boolean {
    const place = placeOf(group, numberIds.join());
    const sizeBytes = ENTRY_SIZE + CELL_SIZE * (1 + numberIds.length) * group.group.rowCount;
    const known = this.#asked.delete(place);
    this.#asked.set(place, sizeBytes);
    if (!known) this.#askedBytes += sizeBytes;
    for (const [old, oldBytes] of this.#asked) {
      if (this.#askedBytes <= this.#sizeMax) break;
      this.#asked.delete(old);
      this.#askedBytes -= oldBytes;
    }
    return known;
  }

  async #make(
    open: () => Promise<OpenFile>,
    make: (file: OpenFile) => Kept | Promise<Kept>,
  ): Promise<Kept> {
    const file = await open();
    await setImmediate();
    return make(file);
  }

  #add(place: string, found: Kept): void {
    this.#kept.set(place, found);
    this.#sizeBytes += found.sizeBytes;
    for (const [old, { sizeBytes }] of this.#kept) {
      if (this.#sizeBytes <= this.#sizeMax) return;
      this.#kept.delete(old);
      this.#sizeBytes -= sizeBytes;
    }
  }
}

function readTimes(file: OpenFile, group: StoredGroup): Times | undefined {
  const found = file.readOffsets(group, TIME_COLUMN_ID);
  if (found !== undefined) return timesOf(found);
  const cells = file.read(group, TIME_COLUMN_ID);
  return cells && timesFrom(cells);
}

function numbersName(id: ColumnId): string {
  return `numbers ${id}`;
}

function placeOf({ index, key }: Pick<GroupOfFile, "key" | "index">, name: string): string {
  return `${key} ${index} ${name}`;
}

function kept(value: Kept["value"] | undefined, sizeBytes = 0): Kept {
  return { value: value ?? null, sizeBytes: sizeBytes + ENTRY_SIZE };
}

function sizeOfRuns({ starts, tags }: Runs): number {
  let sizeBytes = starts.byteLength;
  for (const { codes, texts } of tags.values()) {
    sizeBytes += codes.byteLength;
    for (const text of texts) sizeBytes += 32 + 2 * (text?.length ?? 0);
  }
  return sizeBytes;
}
