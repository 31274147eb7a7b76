import { setTimeout as sleep } from "node:timers/promises";
import type { Server } from "../scripts/long/server.ts";

const LOOK_MS = 50;

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
