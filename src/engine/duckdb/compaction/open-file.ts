/** A data file on the local disk, read chunk by chunk. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { assert, DbError, messageOf } from "#base/errors.ts";
import type { ColumnId } from "#model/ids.ts";
import { TIME_COLUMN_ID } from "#model/schema.ts";
import type { TimeRange } from "#model/time-range.ts";
import type { RowCells } from "#parquet/column.ts";
import { readChunk, readChunkOffsets, readPresence } from "#parquet/read/chunk-reader.ts";
import type { Offsets } from "#parquet/read/deltas.ts";
import {
  type ByteSource,
  type FileFooter,
  readFooter,
  type StoredGroup,
} from "#parquet/read/footer.ts";
import { readTextRuns, type TextRuns } from "#parquet/read/text-runs.ts";
import type { LocalFile } from "./messages.ts";

/** The bytes of the least and the greatest text of some rows. */
export interface TextBounds {
  readonly least: Uint8Array;
  readonly greatest: Uint8Array;
}

export class OpenFile implements Disposable {
  readonly envelope: LocalFile;
  readonly #descriptor: number;
  readonly #source: ByteSource;
  readonly #footer: FileFooter;
  readonly #places: ReadonlyMap<number, number>;

  /** Throws `not_found` / `file_vanished` or `corrupt` / `file_damaged`. */
  constructor(envelope: LocalFile) {
    this.envelope = envelope;
    try {
      this.#descriptor = openSync(envelope.path, "r");
    } catch (cause) {
      if (!(cause instanceof Error && "code" in cause && cause.code === "ENOENT")) throw cause;
      const detail = { key: envelope.key };
      const message = `the data file ${envelope.key} is gone`;
      throw new DbError("not_found", "file_vanished", message, { detail, cause });
    }
    this.#source = sourceOf(this.#descriptor);
    try {
      this.#footer = readFooter(this.#source);
      assert(this.#footer.rowCount === envelope.rowCount, "a file has the rows its envelope says");
    } catch (error) {
      closeSync(this.#descriptor);
      throw damaged(envelope.key, error);
    }
    const places = this.#footer.columns.map(
      ({ fieldId }, place) => [fieldId ?? -1, place] as const,
    );
    this.#places = new Map(places);
  }

  /** The field ids of its columns, that of the order stamp included; undefined for a column that has none. */
  get fieldIds(): readonly (number | undefined)[] {
    return this.#footer.columns.map(({ fieldId }) => fieldId);
  }

  get groups(): readonly StoredGroup[] {
    return this.#footer.groups;
  }

  /** Of the times in a row group; all of the file's where it does not tell. */
  timeOf({ chunks }: StoredGroup): TimeRange {
    const chunk = chunks[this.#places.get(TIME_COLUMN_ID) ?? -1];
    if (chunk?.least?.length !== 8 || chunk.greatest?.length !== 8) return this.envelope.time;
    return { start: wholeOf(chunk.least), end: wholeOf(chunk.greatest) };
  }

  /** The least and the greatest text of each column of texts that tells them, by field id. */
  textBoundsOf({ chunks }: StoredGroup): ReadonlyMap<number, TextBounds> {
    const bounds = new Map<number, TextBounds>();
    for (const [place, { fieldId = -1, type }] of this.#footer.columns.entries()) {
      const { greatest, least } = chunks[place] ?? {};
      if (type === "bytes" && least !== undefined && greatest !== undefined)
        bounds.set(fieldId, { least, greatest });
    }
    return bounds;
  }

  /** Bytes of the longest of its texts' columns, as they are in memory. */
  get textSizeMax(): number {
    const sizes = this.#footer.columns.map(({ type }, place) => {
      if (type !== "bytes") return 0;
      return this.groups.reduce((sum, { chunks }) => {
        return sum + (chunks[place]?.sizeUncompressedBytes ?? 0);
      }, 0);
    });
    return Math.max(0, ...sizes);
  }

  /** Undefined where the file has no such column. Throws `corrupt` / `file_damaged`. */
  read(group: StoredGroup, id: ColumnId | number): RowCells | undefined {
    return this.#chunk(group, id, readChunk);
  }

  /** As `read`, of whole numbers; undefined where they cannot be had as floats at once, and where there is no such column. */
  readOffsets(group: StoredGroup, id: ColumnId): Offsets | undefined {
    return this.#chunk(group, id, (source, column, chunk) =>
      column.type === "int64" ? readChunkOffsets(source, column, chunk) : undefined,
    );
  }

  /** As `read`, of a column of texts; undefined where the column is none, or is not there. */
  readTexts(group: StoredGroup, id: ColumnId): TextRuns | undefined {
    return this.#chunk(group, id, (source, column, chunk) =>
      column.type === "bytes" ? readTextRuns(source, column, chunk) : undefined,
    );
  }

  /** 1 or 0 a row, whether it has a value; undefined where every row has one. Throws `corrupt` / `file_damaged`. */
  presence(group: StoredGroup, id: ColumnId): { readonly present: Uint8Array | undefined } {
    const present = this.#chunk(group, id, (...chunk) => ({ present: readPresence(...chunk) }));
    return present ?? { present: new Uint8Array(group.rowCount) };
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor);
  }

  #chunk<T>(
    group: StoredGroup,
    id: number,
    read: (...chunk: Parameters<typeof readChunk>) => T,
  ): T | undefined {
    const place = this.#places.get(id) ?? -1;
    const column = this.#footer.columns[place];
    const chunk = group.chunks[place];
    if (column === undefined || chunk === undefined) return undefined;
    try {
      return read(this.#source, column, chunk);
    } catch (error) {
      throw damaged(this.envelope.key, error);
    }
  }
}

function sourceOf(descriptor: number): ByteSource {
  return {
    sizeBytes: fstatSync(descriptor).size,
    read(start, sizeBytes) {
      const bytes = new Uint8Array(sizeBytes);
      for (let done = 0; done < sizeBytes; ) {
        const count = readSync(descriptor, bytes, done, sizeBytes - done, start + done);
        if (count === 0) throw new Error("the file is cut off");
        done += count;
      }
      return bytes;
    },
  };
}

function wholeOf(bytes: Uint8Array): bigint {
  return new DataView(bytes.buffer, bytes.byteOffset).getBigInt64(0, true);
}

function damaged(key: string, cause: unknown): DbError {
  return new DbError(
    "corrupt",
    "file_damaged",
    `the data file ${key} cannot be read: ${messageOf(cause)}`,
    { detail: { key }, cause },
  );
}
