import { assert } from "#base/errors.ts";
import type { FileSystem, OpenFile } from "#ports/file-system.ts";
import { below, type Random } from "#ports/random.ts";

/** What a disk is asked to do. */
export type DiskCall = keyof FileSystem | Exclude<keyof OpenFile, "close">;

/** Stands before each call: may wait (a slow disk), and may throw (`ENOSPC`, a failed sync). */
export type DiskFault = (call: DiskCall, path: string) => Promise<void> | void;

/** Writes of which nothing, and of which some sectors only, are on the disk after the power has failed. */
export interface PowerLoss {
  lostCount: number;
  tornCount: number;
}

/** Disks lose whole sectors of what was not synced. */
const SECTOR_SIZE = 512;

type Change =
  | { readonly kind: "write"; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly kind: "truncate"; readonly sizeBytes: number };

type NameChange =
  | { readonly kind: "set"; readonly name: string; readonly file: MemoryFile }
  | { readonly kind: "remove"; readonly name: string };

interface Folder {
  readonly live: Map<string, MemoryFile>;
  readonly durable: Map<string, MemoryFile>;
  pending: NameChange[];
}

/**
 * A disk in memory whose power can fail: names that were not synced are lost from some point on, and of bytes that were not synced
 * any sectors are there, in any order, zeros where one is missing. A `sync` that fails forgets what it was to write, as Linux does: the
 * bytes are still read, and are gone after a power failure.
 */
export class MemoryDisk implements FileSystem {
  /** Change it at any time. */
  fault: DiskFault | undefined;
  readonly #folders = new Map<string, Folder>();
  /** Rises with each failure of power: files opened before one are dead. */
  #power = 0;

  /** The power fails; who had files open hears `EIO` from then on. Answers what became of writes that were not synced. */
  failPower(random: Random): PowerLoss {
    const loss = { lostCount: 0, tornCount: 0 };
    this.#power += 1;
    for (const folder of this.#folders.values()) {
      const kept = folder.pending.slice(0, below(random, folder.pending.length + 1));
      for (const change of kept) applyName(folder.durable, change);
      folder.pending = [];
      folder.live.clear();
      for (const [name, file] of folder.durable) folder.live.set(name, file);
      for (const file of folder.live.values()) file.failPower(random, loss);
    }
    return loss;
  }

  async makeFolder(path: string): Promise<void> {
    await this.fault?.("makeFolder", path);
    if (this.#folders.has(path)) return;
    this.#folders.set(path, { live: new Map(), durable: new Map(), pending: [] });
  }

  async list(path: string): Promise<readonly string[]> {
    await this.fault?.("list", path);
    return [...this.#folder(path).live.keys()].toSorted();
  }

  async create(path: string): Promise<OpenFile> {
    await this.fault?.("create", path);
    const [folder, name] = this.#parts(path);
    if (folder.live.has(name)) throw diskError("EEXIST", path);
    const file = new MemoryFile();
    this.#change(folder, { kind: "set", name, file });
    return this.#handle(file, path);
  }

  async open(path: string): Promise<OpenFile> {
    await this.fault?.("open", path);
    return this.#handle(this.#find(path), path);
  }

  async rename(source: string, target: string): Promise<void> {
    await this.fault?.("rename", target);
    const file = this.#find(source);
    const [folder, name] = this.#parts(target);
    const [sourceFolder, sourceName] = this.#parts(source);
    assert(folder === sourceFolder, "this disk renames within a folder");
    this.#change(folder, { kind: "set", name, file });
    this.#change(folder, { kind: "remove", name: sourceName });
  }

  async remove(path: string): Promise<void> {
    await this.fault?.("remove", path);
    this.#find(path);
    const [folder, name] = this.#parts(path);
    this.#change(folder, { kind: "remove", name });
  }

  async syncFolder(path: string): Promise<void> {
    await this.fault?.("syncFolder", path);
    const folder = this.#folder(path);
    for (const change of folder.pending) applyName(folder.durable, change);
    folder.pending = [];
  }

  /** The bytes of a file, to look at and to damage. */
  bytes(path: string): Uint8Array {
    return this.#find(path).live;
  }

  /** Puts a file there as it is, synced. */
  put(path: string, bytes: Uint8Array): void {
    const [folder, name] = this.#parts(path);
    const file = new MemoryFile(bytes);
    folder.live.set(name, file);
    folder.durable.set(name, file);
  }

  #change(folder: Folder, change: NameChange): void {
    applyName(folder.live, change);
    folder.pending.push(change);
  }

  #find(path: string): MemoryFile {
    const [folder, name] = this.#parts(path);
    const file = folder.live.get(name);
    if (file === undefined) throw diskError("ENOENT", path);
    return file;
  }

  #parts(path: string): [Folder, string] {
    const slash = path.lastIndexOf("/");
    return [this.#folder(path.slice(0, slash)), path.slice(slash + 1)];
  }

  #folder(path: string): Folder {
    const folder = this.#folders.get(path);
    if (folder === undefined) throw diskError("ENOENT", path);
    return folder;
  }

  #handle(file: MemoryFile, path: string): OpenFile {
    const power = this.#power;
    let open = true;
    const check = async (call: DiskCall) => {
      assert(open, "a closed file is not used");
      try {
        await this.fault?.(call, path);
      } catch (error) {
        if (call === "sync") file.forget();
        throw error;
      }
      if (power !== this.#power) throw diskError("EIO", path);
    };
    return {
      size: async () => {
        await check("size");
        return file.live.length;
      },
      read: async (offset, sizeBytes) => {
        await check("read");
        return file.live.slice(offset, offset + sizeBytes);
      },
      write: async (offset, bytes) => {
        const copy = bytes.slice();
        try {
          await check("write");
        } catch (error) {
          // Part of it may have been written.
          if (power === this.#power) file.write(offset, copy.subarray(0, copy.length >> 1));
          throw error;
        }
        file.write(offset, copy);
      },
      truncate: async (sizeBytes) => {
        await check("truncate");
        file.change({ kind: "truncate", sizeBytes });
      },
      sync: async () => {
        await check("sync");
        file.sync();
      },
      close: async () => {
        open = false;
      },
    };
  }
}

/** An error as the system gives it. */
export function diskError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}

class MemoryFile {
  live: Uint8Array;
  #durable: Uint8Array;
  #pending: Change[] = [];

  constructor(bytes: Uint8Array = new Uint8Array()) {
    this.live = bytes;
    this.#durable = bytes;
  }

  write(offset: number, bytes: Uint8Array): void {
    this.change({ kind: "write", offset, bytes });
  }

  change(change: Change): void {
    this.live = applyChange(this.live, change);
    this.#pending.push(change);
  }

  sync(): void {
    for (const change of this.#pending) this.#durable = applyChange(this.#durable, change);
    this.#pending = [];
  }

  /** What was to be written is written by nobody. */
  forget(): void {
    this.#pending = [];
  }

  failPower(random: Random, loss: PowerLoss): void {
    for (const change of this.#pending) {
      const parts = sectorsOf(change);
      const kept = parts.filter(() => random.next() < 0.5);
      for (const part of kept) this.#durable = applyChange(this.#durable, part);
      if (kept.length === 0) loss.lostCount += 1;
      else if (kept.length < parts.length) loss.tornCount += 1;
    }
    this.#pending = [];
    this.live = this.#durable;
  }
}

/** A write in sectors; the cut of a file is whole. */
function sectorsOf(change: Change): readonly Change[] {
  if (change.kind === "truncate") return [change];
  const parts: Change[] = [];
  let start = 0;
  while (start < change.bytes.length) {
    const offset = change.offset + start;
    const size = SECTOR_SIZE - (offset % SECTOR_SIZE);
    parts.push({ kind: "write", offset, bytes: change.bytes.subarray(start, start + size) });
    start += size;
  }
  return parts;
}

function applyChange(bytes: Uint8Array, change: Change): Uint8Array {
  if (change.kind === "truncate") return resized(bytes, change.sizeBytes);
  const sizeBytes = Math.max(bytes.length, change.offset + change.bytes.length);
  const next = resized(bytes, sizeBytes);
  next.set(change.bytes, change.offset);
  return next;
}

/** A copy, for the other view of the file may hold the same array; zeros where it grows. */
function resized(bytes: Uint8Array, sizeBytes: number): Uint8Array {
  const next = new Uint8Array(sizeBytes);
  next.set(bytes.subarray(0, sizeBytes));
  return next;
}

function applyName(names: Map<string, MemoryFile>, change: NameChange): void {
  if (change.kind === "set") names.set(change.name, change.file);
  else names.delete(change.name);
}
