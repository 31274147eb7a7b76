import { setTimeout as sleep } from "node:timers/promises";
import { utf8 } from "#base/bytes.ts";
import { DbError } from "#base/errors.ts";
import { sendForText } from "../client/connection.ts";
import type { DemoNode } from "./demo-node.ts";

export const DATABASE = "machine";

const SEEN_MS_MAX = 30_000;
const POLL_MS = 20;

/** Writes `lines` through `node`. */
export async function write(node: DemoNode, lines: readonly string[]): Promise<void> {
  await sendForText(node.server, {
    method: "POST",
    path: "/api/v3/write_lp",
    parameters: { db: DATABASE, precision: "nanosecond" },
    contentType: "text/plain; charset=utf-8",
    body: utf8(lines.join("\n")),
  });
}

/** What `node` answers to `text`. */
export async function ask(
  node: DemoNode,
  text: string,
  format: "pretty" | "json",
): Promise<string> {
  return sendForText(node.server, {
    method: "POST",
    path: "/api/v3/query_sql",
    contentType: "application/json",
    body: utf8(JSON.stringify({ db: DATABASE, q: text, format })),
  });
}

/** The number of rows of table cpu that `node` sees; undefined when it cannot say. */
export async function countRows(node: DemoNode): Promise<number | undefined> {
  try {
    const rows: unknown = JSON.parse(await ask(node, "SELECT count(*) AS n FROM cpu", "json"));
    return numberOf(firstRow(rows), "n");
  } catch {
    return undefined;
  }
}

/**
 * Waits until `node` answers with the whole machine's row of table cpu at `timeMs`, and resolves with its figures.
 * Rejects with `unavailable` / `demo_row_missing` when that takes too long.
 */
export async function seeCpu(
  node: DemoNode,
  timeMs: number,
  signal: AbortSignal,
): Promise<Readonly<Record<string, unknown>>> {
  const question = "SELECT * FROM cpu WHERE core = 'cpu-total' ORDER BY time DESC LIMIT 1";
  const deadlineMs = performance.now() + SEEN_MS_MAX;
  let reason: unknown;
  while (performance.now() < deadlineMs) {
    signal.throwIfAborted();
    try {
      const row = firstRow(JSON.parse(await ask(node, question, "json")));
      if (row !== undefined && timeOf(row) === timeMs) return row;
    } catch (error) {
      // The database and the table reach the other node after a moment, too.
      reason = error;
    }
    await sleep(POLL_MS, undefined, { signal });
  }
  throw new DbError(
    "unavailable",
    "demo_row_missing",
    `${node.nodeId} did not answer with the row in ${SEEN_MS_MAX / 1000} s`,
    { cause: reason },
  );
}

function firstRow(rows: unknown): Readonly<Record<string, unknown>> | undefined {
  const row: unknown = Array.isArray(rows) ? rows[0] : undefined;
  return typeof row === "object" && row !== null
    ? (row as Readonly<Record<string, unknown>>)
    : undefined;
}

function numberOf(
  row: Readonly<Record<string, unknown>> | undefined,
  name: string,
): number | undefined {
  const value = row?.[name];
  return typeof value === "number" ? value : undefined;
}

/** Milliseconds since the Unix epoch of a row; its time is written in UTC, without a zone. */
function timeOf(row: Readonly<Record<string, unknown>>): number | undefined {
  const { time } = row;
  return typeof time === "string" ? Date.parse(`${time}Z`) : undefined;
}
