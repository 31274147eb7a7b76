import { assert } from "#base/errors.ts";
import type { TableId } from "#model/ids.ts";
import type { TimeRange } from "#model/time-range.ts";
import {
  compareFiles,
  comparePlaces,
  countBelow,
  type FilePlace,
  type ManifestFile,
  placeOf,
} from "./manifest-file.ts";
import { ManifestPart } from "./manifest-part.ts";
import { KeySearch } from "./packed-files.ts";

/**
 * Files of a part: what an entry that changes one file copies, and what a checkpoint writes for it. A packed part may grow to twice as
 * many before it is cut.
 */
export const PART_FILES_MAX = 1_024;
/** Packed parts that are cut at once, some 2 ms each, and one more for as many added files as a part has. */
const CUTS_AT_ONCE = 4;

/**
 * All files of a manifest, in order of their places, in parts. A value: what changes is a copy that shares all parts but those that
 * hold what is changed.
 */
export class ManifestFiles implements Iterable<ManifestFile> {
  /** In order; none is empty. Parts that did not change are the same objects from state to state. */
  readonly parts: readonly ManifestPart[];
  readonly count: number;
  readonly #partFilesMax: number;

  private constructor(parts: readonly ManifestPart[], partFilesMax: number) {
    this.parts = parts;
    this.count = parts.reduce((sum, { summary }) => sum + summary.count, 0);
    this.#partFilesMax = partFilesMax;
  }

  /** `parts` follow each other in order. */
  static ofParts(
    parts: readonly ManifestPart[],
    partFilesMax: number = PART_FILES_MAX,
  ): ManifestFiles {
    return new ManifestFiles(parts, partFilesMax);
  }

  static of(files: Iterable<ManifestFile>, partFilesMax: number = PART_FILES_MAX): ManifestFiles {
    return new ManifestFiles([], partFilesMax).with([...files]);
  }

  *[Symbol.iterator](): Generator<ManifestFile> {
    for (const { files } of this.parts) yield* files;
  }

  /** The tables that have files, rising. */
  tableIds(): readonly TableId[] {
    return [...new Set(this.parts.flatMap(({ summary }) => summary.tableIds))];
  }

  /** The parts that hold files of `tableId`, and may hold some of other tables. */
  partsOf(tableId: TableId): readonly ManifestPart[] {
    const { parts } = this;
    // The table may begin within the part before the first that begins with it.
    const begins = countBelow(parts, ({ summary }) => summary.first.tableId < tableId);
    const ends = countBelow(parts, ({ summary }) => summary.first.tableId <= tableId);
    const near = parts.slice(Math.max(0, begins - 1), ends);
    return near.filter(({ summary }) => summary.tableIds.includes(tableId));
  }

  /** All files of `tableId`, by their first instants. */
  ofTable(tableId: TableId): readonly ManifestFile[] {
    return this.partsOf(tableId).flatMap((part) => part.ofTable(tableId));
  }

  /** Files of `tableId` that may have rows in `time`, by their first instants. Looks into those parts alone that may have some. */
  overlapping(tableId: TableId, time: TimeRange): ManifestFile[] {
    return this.partsOf(tableId).flatMap((part) => part.overlapping(tableId, time));
  }

  /** Those of `keys` that are here. Costs a millisecond or two for a million files, beside the parts that have some. */
  find(keys: ReadonlySet<string>): ReadonlyMap<string, ManifestFile> {
    if (keys.size === 0) return new Map();
    const search = new KeySearch(keys);
    const found = this.parts.flatMap((part) => part.find(search));
    return new Map(found.map((one) => [one.file.key, one]));
  }

  with(added: readonly ManifestFile[]): ManifestFiles {
    if (added.length === 0) return this;
    const sorted = added.toSorted(compareFiles);
    if (this.parts.length === 0) return this.#of(this.#cut(sorted));
    let at = 0;
    // Each goes into the last part that begins at or below its place, or into the first.
    const grown = this.parts.map((part, index) => {
      const next = this.parts[index + 1]?.summary.first;
      const end = next === undefined ? sorted.length : endBelow(sorted, at, next);
      const more = sorted.slice(at, end);
      at = end;
      return more.length === 0 ? part : part.with(more);
    });
    const full = this.#fullOf(grown, sorted.length);
    return this.#of(grown.flatMap((part) => (full.has(part) ? this.#cut(part.files) : [part])));
  }

  /** Without the files of `keys`, all of which are here. */
  without(keys: ReadonlySet<string>): ManifestFiles {
    if (keys.size === 0) return this;
    const search = new KeySearch(keys);
    const parts: ManifestPart[] = [];
    let goneCount = 0;
    /** Whether the last of `parts` has lost files, or what followed it is gone. */
    let shrunk = false;
    for (const part of this.parts) {
      const gone = part.find(search).length;
      goneCount += gone;
      const left = gone === 0 ? part : remaining(part, keys);
      if (left === undefined) {
        shrunk = true;
        continue;
      }
      const before = parts.at(-1);
      const small = before !== undefined && this.#areSmall(before, left);
      if (small && (shrunk || gone > 0)) {
        parts[parts.length - 1] = ManifestPart.of([...before.files, ...left.files]);
        shrunk = true;
        continue;
      }
      parts.push(left);
      shrunk = gone > 0;
    }
    assert(goneCount === keys.size, "only files of the manifest are taken out of it");
    return this.#of(parts);
  }

  #of(parts: readonly ManifestPart[]): ManifestFiles {
    return new ManifestFiles(parts, this.#partFilesMax);
  }

  /**
   * Those of `parts` that are to be cut now that `addedCount` files have come. Packed ones may wait, the fullest least: they are of about one
   * size, and where each table gets a file all would be unpacked at once.
   */
  #fullOf(parts: readonly ManifestPart[], addedCount: number): ReadonlySet<ManifestPart> {
    const full = parts.filter(({ summary }) => summary.count > this.#partFilesMax);
    const mayWait = ({ packedDigest, summary }: ManifestPart) =>
      packedDigest !== undefined && summary.count <= 2 * this.#partFilesMax;
    const cutCount = CUTS_AT_ONCE + Math.floor(addedCount / this.#partFilesMax);
    const waiting = full
      .filter(mayWait)
      .toSorted((left, right) => right.summary.count - left.summary.count)
      .slice(cutCount);
    return new Set(full).difference(new Set(waiting));
  }

  /** Too few to be two parts. */
  #areSmall(left: ManifestPart, right: ManifestPart): boolean {
    return left.summary.count + right.summary.count <= this.#partFilesMax / 2;
  }

  /** As few parts of about one size as `files`, which are in order, need. */
  #cut(files: readonly ManifestFile[]): ManifestPart[] {
    const partCount = Math.ceil(files.length / this.#partFilesMax);
    const edge = (index: number) => Math.floor((index * files.length) / partCount);
    return Array.from({ length: partCount }, (_, index) =>
      ManifestPart.of(files.slice(edge(index), edge(index + 1))),
    );
  }
}

/** How many of `files`, of which `start` are, stand below `place`. Looks only at what is below. */
function endBelow(files: readonly ManifestFile[], start: number, place: FilePlace): number {
  let end = start;
  for (let one = files[end]; one !== undefined; one = files[end]) {
    if (comparePlaces(placeOf(one), place) >= 0) break;
    end += 1;
  }
  return end;
}

function remaining(part: ManifestPart, keys: ReadonlySet<string>): ManifestPart | undefined {
  const left = part.files.filter(({ file }) => !keys.has(file.key));
  return left.length === 0 ? undefined : ManifestPart.of(left);
}
