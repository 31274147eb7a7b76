import { assert } from "#base/errors.ts";
import type { TableId } from "#model/ids.ts";
import { hull, overlaps, type TimeRange } from "#model/time-range.ts";
import {
  comparePlaces,
  countBelow,
  type FilePlace,
  type ManifestFile,
  placeOf,
} from "./manifest-file.ts";
import { type KeySearch, type PackedFiles, packFiles, unpackFiles } from "./packed-files.ts";

/** What is known of a part without a look into it. */
export interface PartSummary {
  readonly first: FilePlace;
  /** Rising; with the one of `first`. */
  readonly tableIds: readonly TableId[];
  /** Holds the times of all its files. */
  readonly time: TimeRange;
  readonly count: number;
}

/** So few plain files beside packed ones are not worth to be packed: some 60 kB. */
const PLAIN_FEW = 128;

/**
 * Some files of the manifest that stand together in the order of their places. A value.
 *
 * It is plain, or packed into a tenth of the memory; then its files are made when somebody asks, and kept while memory is not wanted.
 * What is added to a packed part stands plain beside what is packed: nothing is unpacked for it.
 */
export class ManifestPart {
  readonly summary: PartSummary;
  #packed: PackedList | undefined;
  /** In order. All files, or those beside the packed ones. */
  #plain: readonly ManifestFile[];
  /** All files, where some are packed and some are plain. */
  #joined: WeakRef<readonly ManifestFile[]> | undefined;

  private constructor(
    summary: PartSummary,
    plain: readonly ManifestFile[],
    packed: PackedList | undefined,
  ) {
    this.summary = summary;
    this.#plain = plain;
    this.#packed = packed;
  }

  /** `files`, at least one, are in order. */
  static of(files: readonly ManifestFile[]): ManifestPart {
    const [first] = files;
    assert(first !== undefined, "a part has files");
    const time = files.map(({ file }) => file.time).reduce(hull);
    const tableIds = [...tablesOf(files)];
    const summary = { first: placeOf(first), tableIds, time, count: files.length };
    return new ManifestPart(summary, files, undefined);
  }

  static ofPacked(summary: PartSummary, packed: PackedFiles): ManifestPart {
    return new ManifestPart(summary, [], new PackedList(packed, summary));
  }

  /** In order. */
  get files(): readonly ManifestFile[] {
    if (this.#packed === undefined) return this.#plain;
    if (this.#plain.length === 0) return this.#packed.files;
    const known = this.#joined?.deref();
    if (known !== undefined) return known;
    const files = join(this.#packed.files, this.#plain);
    this.#joined = new WeakRef(files);
    return files;
  }

  /** Whether all its files are packed, or all but few. */
  get isPacked(): boolean {
    return this.#packed !== undefined && this.#plain.length <= PLAIN_FEW;
  }

  /** Tells its packed files from all others; undefined where none is packed. */
  get packedDigest(): string | undefined {
    return this.#packed?.packed.digest;
  }

  /** In order: its files that are not packed. */
  get plain(): readonly ManifestFile[] {
    return this.#plain;
  }

  /** As bytes, which it keeps instead of its files. */
  pack(): PackedFiles {
    if (this.#packed !== undefined && this.#plain.length === 0) return this.#packed.packed;
    const { files } = this;
    this.#packed = new PackedList(packFiles(files), this.summary, files);
    this.#plain = [];
    this.#joined = undefined;
    return this.#packed.packed;
  }

  /** All files of `tableId`. */
  ofTable(tableId: TableId): readonly ManifestFile[] {
    if (!this.summary.tableIds.includes(tableId)) return [];
    const { files } = this;
    const start = countBelow(files, ({ file }) => file.tableId < tableId);
    const end = countBelow(files, ({ file }) => file.tableId <= tableId);
    return files.slice(start, end);
  }

  /** Files of `tableId` that may have rows in `time`. */
  overlapping(tableId: TableId, time: TimeRange): readonly ManifestFile[] {
    if (!overlaps(this.summary.time, time)) return [];
    return this.ofTable(tableId).filter(({ file }) => overlaps(file.time, time));
  }

  /** Those with the keys of `search`. */
  find(search: KeySearch): readonly ManifestFile[] {
    const mayBePacked = this.#packed?.mayHave(search) ?? false;
    const files = mayBePacked ? this.files : this.#plain;
    return files.filter(({ file }) => search.keys.has(file.key));
  }

  /** With `added`, at least one, which are in order. */
  with(added: readonly ManifestFile[]): ManifestPart {
    const [firstAdded] = added;
    assert(firstAdded !== undefined, "something is added");
    const { count, first, tableIds, time } = this.summary;
    const place = placeOf(firstAdded);
    const summary: PartSummary = {
      first: comparePlaces(place, first) < 0 ? place : first,
      tableIds: withTables(tableIds, tablesOf(added)),
      time: added.reduce((range, { file }) => hull(range, file.time), time),
      count: count + added.length,
    };
    return new ManifestPart(summary, join(this.#plain, added), this.#packed);
  }
}

/** Packed files, and what was made of them, while memory is not wanted. Parts that differ in what came later share it. */
class PackedList {
  readonly packed: PackedFiles;
  readonly #count: number;
  readonly #firstKey: string;
  #unpacked: WeakRef<readonly ManifestFile[]> | undefined;

  /** `files` are what is packed, where somebody has them. */
  constructor(packed: PackedFiles, { count, first }: PartSummary, files?: readonly ManifestFile[]) {
    this.packed = packed;
    this.#count = count;
    this.#firstKey = first.key;
    this.#unpacked = files && new WeakRef(files);
  }

  get files(): readonly ManifestFile[] {
    const known = this.#unpacked?.deref();
    if (known !== undefined) return known;
    const what = `the part of the manifest from ${this.#firstKey} on`;
    const files = unpackFiles(this.packed.bytes, this.#count, what);
    this.#unpacked = new WeakRef(files);
    return files;
  }

  /** Whether some may have keys of `search`. */
  mayHave(search: KeySearch): boolean {
    return search.mayBeIn(this.packed.bytes, this.#count);
  }
}

/** Both in order, together in order. Compares little where `right` is short. */
function join(
  left: readonly ManifestFile[],
  right: readonly ManifestFile[],
): readonly ManifestFile[] {
  if (left.length === 0) return right;
  const joined: ManifestFile[] = [];
  let at = 0;
  const take = (end: number) => {
    for (; at < end; at += 1) joined.push(left[at] as ManifestFile);
  };
  for (const one of right) {
    const place = placeOf(one);
    take(countBelow(left, (other) => comparePlaces(placeOf(other), place) < 0));
    joined.push(one);
  }
  take(left.length);
  return joined;
}

function withTables(tableIds: readonly TableId[], added: ReadonlySet<TableId>): readonly TableId[] {
  const more = [...added].filter((id) => !tableIds.includes(id));
  return more.length === 0
    ? tableIds
    : [...tableIds, ...more].toSorted((left, right) => left - right);
}

/** Rising, for files in order. */
function tablesOf(files: readonly ManifestFile[]): ReadonlySet<TableId> {
  return new Set(files.map(({ file }) => file.tableId));
}
