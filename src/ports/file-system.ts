/**
 * A disk. Every call rejects with the system's error, whose `code` is as `ENOSPC`. Paths are joined with `/`.
 * Real: node/real/file-system.ts. Simulated, with power failures: testing/raft/disk.ts.
 */
export interface FileSystem {
  /** Makes the folder and those above it, where they are missing, and syncs their names. */
  makeFolder(path: string): Promise<void>;
  /** The names in a folder, sorted. */
  list(path: string): Promise<readonly string[]>;
  /** A new empty file; rejects with `EEXIST` where the name is taken. Its name lasts only after `syncFolder`. */
  create(path: string): Promise<OpenFile>;
  /** A file that is there, to be read and written; rejects with `ENOENT` where it is not. */
  open(path: string): Promise<OpenFile>;
  /** Gives a file another name, in place of the file that had it. Lasts only after `syncFolder`. */
  rename(source: string, target: string): Promise<void>;
  /** Removes a file's name; lasts only after `syncFolder`. */
  remove(path: string): Promise<void>;
  /** Makes the names in a folder survive a power failure. */
  syncFolder(path: string): Promise<void>;
}

/** Whoever opened it closes it. */
export interface OpenFile {
  size(): Promise<number>;
  /** `sizeBytes` from `offset`; fewer where the file ends. The caller owns the bytes. */
  read(offset: number, sizeBytes: number): Promise<Uint8Array>;
  /** Writes all of `bytes` at `offset`. When it rejects, any part of them may be there. */
  write(offset: number, bytes: Uint8Array): Promise<void>;
  truncate(sizeBytes: number): Promise<void>;
  /**
   * Makes the bytes and the size survive a power failure. When it rejects, nobody knows which of them do, and another `sync` that
   * succeeds says nothing about them.
   */
  sync(): Promise<void>;
  close(): Promise<void>;
}
