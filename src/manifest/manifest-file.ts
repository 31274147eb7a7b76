import type { DataFile } from "#model/data-file.ts";
import type { TableId } from "#model/ids.ts";
import type { OrderStamp } from "#model/stamp.ts";

export interface ManifestFile {
  readonly file: DataFile;
  /** Rows at or below this stamp do not count: they were there before the file was adopted. */
  readonly stampAbove: OrderStamp;
}

/** Where a file stands among all of a manifest: by its table, then by its first instant. */
export interface FilePlace {
  readonly tableId: TableId;
  readonly start: bigint;
  /** Tells those apart that begin together. */
  readonly key: string;
}

export function placeOf({ file }: ManifestFile): FilePlace {
  return { tableId: file.tableId, start: file.time.start, key: file.key };
}

export function comparePlaces(left: FilePlace, right: FilePlace): number {
  if (left.tableId !== right.tableId) return left.tableId - right.tableId;
  if (left.start !== right.start) return left.start < right.start ? -1 : 1;
  if (left.key === right.key) return 0;
  return left.key < right.key ? -1 : 1;
}

export function compareFiles(left: ManifestFile, right: ManifestFile): number {
  return comparePlaces(placeOf(left), placeOf(right));
}

/** How many of `items`, which rise, `isBelow` says that it is of: true up to some item, false from there. */
export function countBelow<Item>(items: readonly Item[], isBelow: (item: Item) => boolean): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBelow(items[middle] as Item)) low = middle + 1;
    else high = middle;
  }
  return low;
}
