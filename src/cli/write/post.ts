import { setTimeout as sleep } from "node:timers/promises";
import { isSuccess, refusal, type Server, sendForAnswer } from "../client/connection.ts";
import { partialWriteLines, type RejectedLine } from "../client/server-error.ts";

export interface PostTarget {
  readonly server: Server;
  /** Of the query in the request's address. */
  readonly parameters: Readonly<Record<string, string | undefined>>;
}

export const WRITE_PATH = "/api/v3/write_lp";
export const WRITE_TYPE = "text/plain; charset=utf-8";

/** A node gives up on its store after 30 s, and says so. */
const SILENCE_MS_MAX = 120_000;
/** For how long a server may refuse a batch as too much or too early. */
const RETRY_MS_MAX = 120_000;
const PAUSE_MS = 1000;
const PAUSE_MS_MAX = 30_000;
const RETRIED: ReadonlySet<number> = new Set([429, 503]);

/**
 * Writes `body`; resolves when it is stored, with the lines of it that are not. A server that says 429 or 503 is asked
 * again when it wants to be, for two minutes in all. A connection that breaks is not: nobody knows what came of the lines.
 *
 * Rejects with `server_refused`, with `unavailable` / `server_unreachable`, and when `signal` ends a pause.
 */
export async function postLines(
  { server, parameters }: PostTarget,
  body: Uint8Array,
  signal: AbortSignal,
): Promise<readonly RejectedLine[]> {
  const endMs = performance.now() + RETRY_MS_MAX;
  while (true) {
    const answer = await sendForAnswer(server, {
      method: "POST",
      path: WRITE_PATH,
      parameters,
      contentType: WRITE_TYPE,
      body,
      silenceMsMax: SILENCE_MS_MAX,
    });
    if (isSuccess(answer.status)) return [];
    const rejected = partialWriteLines(answer.text);
    if (rejected !== undefined) return rejected;
    const pauseMs = pauseMsOf(answer.retryAfter);
    if (!RETRIED.has(answer.status) || performance.now() + pauseMs > endMs) throw refusal(answer);
    await sleep(pauseMs, undefined, { signal });
  }
}

function pauseMsOf(retryAfter: string | undefined): number {
  const seconds = /^\d+$/.test(retryAfter ?? "") ? Number(retryAfter) : PAUSE_MS / 1000;
  return Math.min(Math.max(seconds * 1000, PAUSE_MS / 10), PAUSE_MS_MAX);
}
