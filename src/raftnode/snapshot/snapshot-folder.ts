import type { FileSystem, OpenFile } from "#ports/file-system.ts";
import { ByteReader } from "../bytes.ts";
import type { Position, SnapshotMark } from "../log/items.ts";
import {
  CHUNK_HEAD_SIZE,
  CHUNK_SIZE_MAX,
  chunkChecksum,
  damagedSnapshot,
  decodeSnapshotHead,
  encodeChunk,
  encodeSnapshotHead,
  SNAPSHOT_HEAD_SIZE,
  snapshotHeadRest,
} from "./snapshot-file.ts";

const NAME = /^\d{20}-\d{20}\.snapshot$/;
const PARTIAL = /\.partial$/;

/** A state in pieces of any size. */
export type Chunks = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** Snapshots as files of one folder: written aside, synced, then given their names. */
export class SnapshotFolder {
  readonly #files: FileSystem;
  readonly #folder: string;
  #count = 0;

  /** Opens the folder, which is made when it is missing, and removes what was never finished. */
  static async open(files: FileSystem, folder: string): Promise<SnapshotFolder> {
    await files.makeFolder(folder);
    for (const name of await files.list(folder))
      if (PARTIAL.test(name)) await files.remove(`${folder}/${name}`);
    // A name that is found may not be on the disk yet.
    await files.syncFolder(folder);
    return new SnapshotFolder(files, folder);
  }

  private constructor(files: FileSystem, folder: string) {
    this.#files = files;
    this.#folder = folder;
  }

  /** Resolves when the snapshot is durable; where `chunks` or the disk fail, rejects with that, and nothing has its name. */
  async write(mark: SnapshotMark, chunks: Chunks): Promise<void> {
    this.#count += 1;
    const path = this.#path(mark);
    const partial = `${path}.${this.#count}.partial`;
    const file = await this.#files.create(partial);
    try {
      await writeChunks(file, mark, chunks);
      await file.sync();
    } catch (error) {
      await file.close();
      await this.#files.remove(partial).catch(() => undefined);
      throw error;
    }
    await file.close();
    await this.#files.rename(partial, path);
    await this.#files.syncFolder(this.#folder);
  }

  /**
   * The state at `position`, in chunks that were checked. A snapshot that is removed while it is read is read to its end.
   * Rejects with `corrupt` / `raft_snapshot_damaged`, which names the file and the place, where it is not what was written or not there.
   */
  async *read(position: Position): AsyncGenerator<Uint8Array, void, undefined> {
    const path = this.#path(position);
    const file = await this.#files.open(path).catch((error: unknown) => {
      if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
      throw damagedSnapshot(path, 0, "there is no such file, and the log says that there is");
    });
    try {
      yield* readChunks(path, file, position);
    } finally {
      await file.close();
    }
  }

  /** Removes all snapshots but those at `positions`. */
  async keepOnly(positions: readonly Position[]): Promise<void> {
    const kept = new Set(positions.map((position) => this.#path(position)));
    for (const name of await this.#files.list(this.#folder)) {
      const path = `${this.#folder}/${name}`;
      if (NAME.test(name) && !kept.has(path)) await this.#files.remove(path);
    }
  }

  #path({ index, term }: Position): string {
    return `${this.#folder}/${digits(index)}-${digits(term)}.snapshot`;
  }
}

async function writeChunks(file: OpenFile, mark: SnapshotMark, chunks: Chunks): Promise<void> {
  const head = encodeSnapshotHead(mark);
  await file.write(0, head.bytes);
  let offset = head.bytes.length;
  let checksum = head.checksum;
  const put = async (part: Uint8Array) => {
    const chunk = encodeChunk(part, checksum);
    await file.write(offset, chunk.bytes);
    offset += chunk.bytes.length;
    checksum = chunk.checksum;
  };
  for await (const chunk of chunks)
    for (let start = 0; start < chunk.length; start += CHUNK_SIZE_MAX)
      await put(chunk.subarray(start, start + CHUNK_SIZE_MAX));
  await put(new Uint8Array());
}

async function* readChunks(
  path: string,
  file: OpenFile,
  position: Position,
): AsyncGenerator<Uint8Array, void, undefined> {
  const start = await file.read(0, SNAPSHOT_HEAD_SIZE);
  const headSize = SNAPSHOT_HEAD_SIZE + snapshotHeadRest(path, start);
  const bytes = await file.read(0, headSize);
  if (bytes.length < headSize) throw damagedSnapshot(path, 0, "its header is cut short");
  const head = decodeSnapshotHead(path, bytes);
  if (head.mark.index !== position.index || head.mark.term !== position.term)
    throw damagedSnapshot(path, 0, `it is of entry ${head.mark.index} and term ${head.mark.term}`);
  let offset = headSize;
  let before = head.checksum;
  while (true) {
    const chunkHead = await file.read(offset, CHUNK_HEAD_SIZE);
    if (chunkHead.length < CHUNK_HEAD_SIZE) throw damagedSnapshot(path, offset, "it is cut short");
    const reader = new ByteReader(chunkHead);
    const [size, checksum] = [reader.u32(), reader.u32()];
    const chunk =
      size > CHUNK_SIZE_MAX ? undefined : await file.read(offset + CHUNK_HEAD_SIZE, size);
    if (chunk?.length !== size || chunkChecksum(chunk, before) !== checksum)
      throw damagedSnapshot(path, offset, "a chunk is not what was written");
    offset += CHUNK_HEAD_SIZE + size;
    if (size === 0) break;
    yield chunk;
    before = checksum;
  }
  if ((await file.size()) !== offset) throw damagedSnapshot(path, offset, "bytes follow its end");
}

function digits(value: number): string {
  return String(value).padStart(20, "0");
}
