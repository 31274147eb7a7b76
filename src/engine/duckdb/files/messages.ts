import type { WriteFilesRequest, WrittenFile } from "#ports/engine.ts";

/** What the file writer asks of its thread. */
export type FileCalls = {
  readonly write: {
    readonly request: FilesRequest;
    readonly answer: readonly WrittenFile[];
  };
};

/** As WriteFilesRequest, with all blocks in one piece of memory, which travels. */
export interface FilesRequest extends Omit<WriteFilesRequest, "blocks"> {
  readonly blocks: readonly Pick<WriteFilesRequest["blocks"][number], "stamp">[];
  /** Where each block ends. */
  readonly ends: readonly number[];
  readonly bytes: Uint8Array<ArrayBuffer>;
}
