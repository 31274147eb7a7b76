import { mkdtemp, readdir, rm } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { DbError } from "#base/errors.ts";

/**
 * Makes a folder for what this process can do without, in `parent` (the system's folder for temporary files), and removes those that
 * processes of this machine left there when they were killed. Rejects with `invalid` / `scratch_unusable` when none can be made.
 */
export async function openScratch(parent: string = tmpdir()): Promise<string> {
  const prefix = `tidelake-node-${encodeURIComponent(hostname())}-`;
  try {
    await removeLeft(parent, prefix);
    return await mkdtemp(join(parent, `${prefix}${process.pid}-`));
  } catch (error) {
    throw new DbError(
      "invalid",
      "scratch_unusable",
      `no folder for temporary files can be made in ${parent}: free space there, or set TMPDIR to another`,
      { detail: { parent }, cause: error },
    );
  }
}

async function removeLeft(parent: string, prefix: string): Promise<void> {
  for (const name of await readdir(parent)) {
    if (!name.startsWith(prefix)) continue;
    const [pid = "", rest] = name.slice(prefix.length).split("-");
    if (rest === undefined || !/^\d+$/.test(pid) || isAnotherAlive(Number(pid))) continue;
    // What cannot be removed costs space, nothing else.
    await rm(join(parent, name), { recursive: true, force: true }).catch(() => undefined);
  }
}

/** Whether a process other than this one has the number `pid`. */
function isAnotherAlive(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code !== "ESRCH";
  }
}
