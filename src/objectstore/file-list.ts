import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { isAbsent } from "./file-errors.ts";
import { isKeyPart } from "./keys.ts";

/** The keys wanted: those that begin with `prefix`, lie above `after`, at most `countMax` of them. */
export interface KeyRange {
  readonly prefix: string;
  readonly after: string;
  readonly countMax: number;
}

/**
 * The keys of `range` whose files lie under the folder `root`, in ascending order. Folders that can hold none are not
 * read; names that are no part of a key are passed over. Rejects with the file system's error.
 */
export async function listKeys(root: string, range: KeyRange): Promise<string[]> {
  const keys: string[] = [];
  // The prefix "a/b" may go on as a name in the folder "a/".
  await walk(root, range.prefix.slice(0, range.prefix.lastIndexOf("/") + 1), range, keys);
  return keys;
}

/** Appends to `keys` what lies in and beneath `folder`, which is empty or ends with a slash. */
async function walk(root: string, folder: string, range: KeyRange, keys: string[]): Promise<void> {
  if (keys.length >= range.countMax) return;
  for (const key of await readFolder(root, folder, range)) {
    if (keys.length >= range.countMax) return;
    if (key.endsWith("/")) await walk(root, key, range, keys);
    else keys.push(key);
  }
}

/**
 * The files and folders directly in `folder` that are in `range` or may hold what is, in the order of the keys they
 * stand for. A folder is written with its slash, which puts it where its keys belong: "a-b" < "a/" < "a0".
 */
async function readFolder(root: string, folder: string, range: KeyRange): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readEntries(join(root, folder))) {
    if (!isKeyPart(entry.name)) continue;
    if (entry.isFile()) {
      const key = folder + entry.name;
      if (key.startsWith(range.prefix) && key > range.after) found.push(key);
    } else if (entry.isDirectory()) {
      const key = `${folder}${entry.name}/`;
      // All keys beneath it are above `after`, or `after` itself lies among them.
      const above = key > range.after || range.after.startsWith(key);
      if (key.startsWith(range.prefix) && above) found.push(key);
    }
  }
  return found.toSorted();
}

async function readEntries(path: string): Promise<Dirent[]> {
  try {
    return await readdir(path, { withFileTypes: true });
  } catch (error) {
    if (isAbsent(error)) return [];
    throw error;
  }
}
