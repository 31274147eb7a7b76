import { assert } from "#base/errors.ts";
import type { TableId } from "#model/ids.ts";
import { hull, overlaps, type TimeRange } from "#model/time-range.ts";
import { compareFiles, type FilePlace, type ManifestFile, placeOf } from "./manifest-file.ts";
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

/**
 * Some files of the manifest that stand together in the order of their places. A value.
 *
 * It is plain, or packed into a tenth of the memory; then its files are made when somebody asks, and kept while memory is not wanted.
 */
export class ManifestPart {
  readonly summary: PartSummary;
  #plain: readonly ManifestFile[] | undefined;
  #packed: PackedFiles | undefined;
  #unpacked: WeakRef<readonly ManifestFile[]> | undefined;

  private constructor(summary: PartSummary) {
    this.summary = summary;
  }

  /** `files`, at least one, are in order. */
  static of(files: readonly ManifestFile[]): ManifestPart {
    const [first] = files;
    assert(first !== undefined, "a part has files");
    const time = files.map(({ file }) => file.time).reduce(hull);
    return ManifestPart.#plainOf({ first: placeOf(first), tableIds: tablesOf(files), time }, files);
  }

  static ofPacked(summary: PartSummary, packed: PackedFiles): ManifestPart {
    const part = new ManifestPart(summary);
    part.#packed = packed;
    return part;
  }

  static #plainOf(
    summary: Omit<PartSummary, "count">,
    files: readonly ManifestFile[],
  ): ManifestPart {
    const part = new ManifestPart({ ...summary, count: files.length });
    part.#plain = files;
    return part;
  }

  /** In order. */
  get files(): readonly ManifestFile[] {
    const known = this.#plain ?? this.#unpacked?.deref();
    if (known !== undefined) return known;
    assert(this.#packed !== undefined, "a part is plain or packed");
    const { count, first } = this.summary;
    const what = `the part of the manifest from ${first.key} on`;
    const files = unpackFiles(this.#packed.bytes, count, what);
    this.#unpacked = new WeakRef(files);
    return files;
  }

  get isPacked(): boolean {
    return this.#packed !== undefined;
  }

  /** As bytes, which it keeps instead of its files. */
  pack(): PackedFiles {
    if (this.#packed !== undefined) return this.#packed;
    const { files } = this;
    this.#packed = packFiles(files);
    this.#plain = undefined;
    this.#unpacked = new WeakRef(files);
    return this.#packed;
  }

  /** Files of `tableId` that may have rows in `time`. */
  overlapping(tableId: TableId, time: TimeRange): readonly ManifestFile[] {
    const { tableIds } = this.summary;
    if (!tableIds.includes(tableId) || !overlaps(this.summary.time, time)) return [];
    return this.files.filter(({ file }) => file.tableId === tableId && overlaps(file.time, time));
  }

  /** Those with the keys of `search`. */
  find(search: KeySearch): readonly ManifestFile[] {
    const packed = this.#packed;
    if (packed !== undefined && !search.mayBeIn(packed.bytes, this.summary.count)) return [];
    return this.files.filter(({ file }) => search.keys.has(file.key));
  }

  /** With `added`. */
  with(added: readonly ManifestFile[]): ManifestPart {
    const files = [...this.files, ...added].toSorted(compareFiles);
    const [first] = files;
    assert(first !== undefined, "a part has files");
    const { tableIds, time } = this.summary;
    const isNew = ({ file }: ManifestFile) => !tableIds.includes(file.tableId);
    return ManifestPart.#plainOf(
      {
        first: placeOf(first),
        tableIds: added.some(isNew) ? tablesOf(files) : tableIds,
        time: added.reduce((range, { file }) => hull(range, file.time), time),
      },
      files,
    );
  }
}

function tablesOf(files: readonly ManifestFile[]): readonly TableId[] {
  return [...new Set(files.map(({ file }) => file.tableId))];
}
