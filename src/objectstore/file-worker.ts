/**
 * The process that file.test.ts starts to share a folder with it, or to be killed.
 *
 *     node file-worker.ts race <folder> <count>   creates race/0, race/1 … and prints the numbers it won
 *     node file-worker.ts loop <folder> <name>    creates and replaces objects for ever, printing what was answered
 *     node file-worker.ts open <folder>           prints the code of the error, or "opened"
 */
import { crc32 } from "#base/crc32.ts";
import { DbError, isKind } from "#base/errors.ts";
import { silentLog } from "#ports/log.ts";
import { seededRandom } from "#ports/random.ts";
import { FileStore } from "./file.ts";

/** A body that tells whether it is whole: CRC-32, then bytes of `seed`. */
function checkedBody(seed: number, sizeBytes: number): Uint8Array {
  const body = new Uint8Array(4 + sizeBytes).fill(seed);
  new DataView(body.buffer).setUint32(0, crc32(body.subarray(4)));
  return body;
}

/** Whether `body` is one that `checkedBody` made, every byte of it. */
export function isWhole(body: Uint8Array): boolean {
  if (body.length < 4) return false;
  const view = new DataView(body.buffer, body.byteOffset);
  return view.getUint32(0) === crc32(body.subarray(4));
}

async function work(command: string, folder: string, argument: string): Promise<void> {
  // All processes draw the same names for temporary files, the worst that chance can do.
  const options = { random: seededRandom(1), log: silentLog };
  if (command === "open") return print(await openingOf(folder));
  await using store = await FileStore.open(folder, options);
  if (command === "race") await race(store, Number(argument));
  else await loop(store, argument);
}

async function openingOf(folder: string): Promise<string> {
  try {
    const store = await FileStore.open(folder, { random: seededRandom(1), log: silentLog });
    await store[Symbol.asyncDispose]();
    return "opened";
  } catch (error) {
    return error instanceof DbError ? error.code : String(error);
  }
}

async function race(store: FileStore, count: number): Promise<void> {
  for (let number = 0; number < count; number += 1) {
    try {
      await store.putIfAbsent(`race/${number}`, checkedBody(process.pid % 256, 10));
      print(String(number));
    } catch (error) {
      if (!isKind(error, "conflict")) throw error;
    }
  }
}

async function loop(store: FileStore, name: string): Promise<void> {
  for (let number = 0; ; number += 1) {
    const key = `${name}/${number % 3}/${number}`;
    await Promise.all([
      store.putIfAbsent(key, checkedBody(number % 256, (number * 7_919) % 300_000)),
      store.put(`${name}/replaced`, checkedBody(number % 256, (number * 104_729) % 300_000)),
    ]);
    print(key);
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

const [, program = "", command, folder = "", argument = ""] = process.argv;
if (program.endsWith("file-worker.ts") && command !== undefined) {
  await work(command, folder, argument);
}
