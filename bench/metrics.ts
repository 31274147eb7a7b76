import { setTimeout as sleep } from "node:timers/promises";
import type { Server } from "../scripts/long/server.ts";

const LOOK_MS = 50;
/** Files that nobody writes into are merged after about a minute; when nothing was merged for so long, it is done. */
const QUIET_MS = 90_000;
const MERGED_LOOK_MS = 1_000;

/** The value of `name` in the node's /metrics; NaN where it has none. */
export async function metric(server: Server, name: string): Promise<number> {
  const { text } = await server.http.ask({ path: "/metrics" });
  const found = text.split("\n").find((line) => line.startsWith(`${name} `));
  return Number(found?.slice(name.length + 1) ?? Number.NaN);
}

/** Resolves with how long it took until no row of the node is without a file; rejects after `waitMsMax`. */
export async function drained(server: Server, waitMsMax: number): Promise<number> {
  const startedMs = performance.now();
  while (performance.now() - startedMs < waitMsMax) {
    if ((await metric(server, "tidelake_unsaved_rows")) === 0) return performance.now() - startedMs;
    await sleep(LOOK_MS);
  }
  throw new Error(`rows are not in files after ${waitMsMax} ms`);
}

/** Waits until all rows are in files and the compactor has found nothing more to do for a while. */
export async function merged(server: Server): Promise<void> {
  await drained(server, QUIET_MS);
  let last = Number.NaN;
  let sinceMs = performance.now();
  while (performance.now() - sinceMs < QUIET_MS) {
    await sleep(MERGED_LOOK_MS);
    const now = await metric(server, "tidelake_compactions_total");
    if (now === last) continue;
    last = now;
    sinceMs = performance.now();
  }
  process.stderr.write(`compactions: ${last}\n`);
}
