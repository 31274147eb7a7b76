/** What the adapter and the compaction's process say to each other, by structured clone. */
import type { ErrorParts } from "#base/errors.ts";
import type { DataFile } from "#model/data-file.ts";
import type { OrderStamp } from "#model/stamp.ts";
import type { CompactRequest, WrittenFile } from "#ports/engine.ts";

/** As CompactRequest, with files on the local disk. */
export interface MergeRequest extends Omit<CompactRequest, "files"> {
  readonly files: readonly LocalFile[];
  /** What the process may take, about. */
  readonly memorySizeMax: number;
}

/** A request, and the folder for what is made of it. */
export interface MergeWork extends MergeRequest {
  readonly directory: string;
}

/** Called between steps: says that the work goes on, and may throw to end it. */
export type OnStep = () => void;

export interface LocalFile extends Pick<DataFile, "key" | "rowCount" | "time" | "stampMin"> {
  readonly path: string;
  readonly stampAbove: OrderStamp;
}

export type MergeCall =
  | { readonly kind: "merge"; readonly request: MergeWork }
  /** The last file was taken: the next may be made. */
  | { readonly kind: "next" };

/** A file that was made. Its bytes are at `path` (`aside.ts`). */
export interface MergedFile extends Omit<WrittenFile, "bytes"> {
  readonly path: string;
}

export type MergeAnswer =
  | { readonly kind: "file"; readonly file: MergedFile }
  /** The work goes on. */
  | { readonly kind: "alive" }
  | { readonly kind: "done" }
  | { readonly kind: "failed"; readonly failure: ErrorParts };
