import { type FileHandle, mkdir, open, readdir, rename, unlink } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { FileSystem, OpenFile } from "#ports/file-system.ts";

/** The machine's disks. */
export const realFiles: FileSystem = {
  async makeFolder(path) {
    await mkdir(path, { recursive: true });
    // Those that are there already may be of a process that died before it synced them.
    for (let folder = resolve(path); folder !== dirname(folder); folder = dirname(folder))
      await syncFolder(dirname(folder)).catch((error: unknown) => {
        // Nobody makes folders in one that it may not read.
        if (!isDenied(error)) throw error;
      });
  },
  list: async (path) => (await readdir(path)).toSorted(),
  create: async (path) => new RealFile(await open(path, "wx+")),
  open: async (path) => new RealFile(await open(path, "r+")),
  rename,
  remove: unlink,
  syncFolder,
};

class RealFile implements OpenFile {
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async size(): Promise<number> {
    return (await this.#handle.stat()).size;
  }

  async read(offset: number, sizeBytes: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(sizeBytes);
    let filled = 0;
    while (filled < sizeBytes) {
      const rest = sizeBytes - filled;
      const { bytesRead } = await this.#handle.read(bytes, filled, rest, offset + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return bytes.subarray(0, filled);
  }

  async write(offset: number, bytes: Uint8Array): Promise<void> {
    let written = 0;
    while (written < bytes.length) {
      const rest = bytes.length - written;
      written += (await this.#handle.write(bytes, written, rest, offset + written)).bytesWritten;
    }
  }

  truncate(sizeBytes: number): Promise<void> {
    return this.#handle.truncate(sizeBytes);
  }

  sync(): Promise<void> {
    return this.#handle.datasync();
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function isDenied(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EACCES";
}
