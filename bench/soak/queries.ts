import { setTimeout as sleep } from "node:timers/promises";
import { Connection } from "../client.ts";
import {
  BODY_ROW_COUNT,
  BODY_SEC,
  HOST_COUNT,
  NUMBER_BASE,
  NUMBER_STEP,
  START_SEC,
  STEP_SEC,
} from "./body.ts";

export type QueryKind = "last" | "aggregate" | "count";

/** What came of one query. */
export interface Asked {
  readonly kind: QueryKind;
  readonly tookMs: number;
  readonly outcome: "answered" | "refused" | "failed";
}

type Row = Readonly<Record<string, unknown>>;

const HOUR_SEC = 3_600;
const REFUSALS = [429, 503];
const KEPT_FAILURES_MAX = 10;
const SMALLEST_TAIL = Math.ceil(HOUR_SEC / BODY_SEC) + 1;
const CHECK_BODY_COUNT = 1_000;

/** Asks for rows that are acknowledged while others are written, and knows what must come. */
export class Querier implements Disposable {
  readonly #connection: Connection;
  readonly #tail: () => number;
  /** The first few, for whoever looks for the reason. */
  readonly failures: string[] = [];

  /** `tail` tells how many bodies from the first on are acknowledged. */
  constructor(port: number, tail: () => number) {
    this.#connection = new Connection(port);
    this.#tail = tail;
  }

  /** Asks one after the other, a pause between them, until `signal` is aborted. */
  async run(pauseMs: number, signal: AbortSignal, onAsked: (asked: Asked) => void): Promise<void> {
    for (let index = 0; !signal.aborted; index++) {
      await sleep(pauseMs);
      if (this.#tail() < SMALLEST_TAIL) continue;
      onAsked(await this.#ask(index));
    }
  }

  [Symbol.dispose](): void {
    this.#connection[Symbol.dispose]();
  }

  async #ask(index: number): Promise<Asked> {
    const { kind, rowsSeen, text } = makeQuery(index, this.#tail());
    const startedMs = performance.now();
    let outcome: Asked["outcome"] = "failed";
    let story = "";
    try {
      const answer = await ask(this.#connection, text);
      if (REFUSALS.includes(answer.status)) outcome = "refused";
      else story = rowsSeen(answer.rows) ?? "";
      if (answer.status === 200 && story === "") outcome = "answered";
      if (answer.status !== 200) story = answer.text;
    } catch (error) {
      story = String(error);
    }
    if (outcome === "failed" && this.failures.length < KEPT_FAILURES_MAX)
      this.failures.push(`${text}: ${story.slice(0, 300)}`);
    return { kind, tookMs: performance.now() - startedMs, outcome };
  }
}

interface Question {
  readonly kind: QueryKind;
  readonly text: string;
  /** What is wrong with the answer; undefined when nothing is. */
  readonly rowsSeen: (rows: readonly Row[]) => string | undefined;
}

/** The last rows of a host, an hour of all hosts in one figure each, the rows of an hour: in turns, of now and of any time. */
function makeQuery(index: number, tail: number): Question {
  const end = START_SEC + tail * BODY_SEC;
  const hoursBack = index % 2 === 0 ? 0 : Math.random() * (tail - SMALLEST_TAIL);
  const start = end - HOUR_SEC - Math.floor(hoursBack) * BODY_SEC;
  const within = `time >= '${iso(start)}' AND time < '${iso(start + HOUR_SEC)}'`;
  const host = Math.floor(Math.random() * HOST_COUNT);
  switch (index % 3) {
    case 0:
      return {
        kind: "last",
        text: `SELECT time, usage_user, usage_system FROM cpu WHERE hostname = 'host_${host}' AND ${within} ORDER BY time DESC LIMIT 10`,
        rowsSeen: rowCount(10),
      };
    case 1:
      return {
        kind: "aggregate",
        text: `SELECT hostname, avg(usage_user) AS mean, max(usage_system) AS most FROM cpu WHERE ${within} GROUP BY hostname`,
        rowsSeen: rowCount(HOST_COUNT),
      };
    default: {
      const expected = (HOST_COUNT * HOUR_SEC) / STEP_SEC;
      return {
        kind: "count",
        text: `SELECT count(*) AS n FROM cpu WHERE ${within}`,
        rowsSeen: ([row]) =>
          row?.["n"] === expected ? undefined : `${String(row?.["n"])} rows, not ${expected}`,
      };
    }
  }
}

function rowCount(expected: number): Question["rowsSeen"] {
  return ({ length }) => (length === expected ? undefined : `${length} rows, not ${expected}`);
}

/** Counts and sums all rows of the first `bodyCount` bodies, some at a time; answers what is missing, doubled or wrong. */
export async function checkAll(port: number, bodyCount: number): Promise<readonly string[]> {
  using connection = new Connection(port);
  const wrong: string[] = [];
  for (let first = 0; first < bodyCount; first += CHECK_BODY_COUNT) {
    const end = Math.min(bodyCount, first + CHECK_BODY_COUNT);
    const [start, stop] = [START_SEC + first * BODY_SEC, START_SEC + end * BODY_SEC];
    const { rows, text } = await ask(
      connection,
      `SELECT count(*) AS n, sum(n - ${NUMBER_BASE}) AS sum FROM cpu WHERE time >= '${iso(start)}' AND time < '${iso(stop)}'`,
    );
    const count = (end - first) * BODY_ROW_COUNT;
    const sum = sumOf(first, end);
    if (rows[0]?.["n"] !== count || rows[0]["sum"] !== sum)
      wrong.push(`bodies ${first} to ${end}: ${text.slice(0, 300)}, not ${count} and ${sum}`);
  }
  return wrong;
}

/** The sum of the numbers of these bodies' rows, above the base. */
function sumOf(first: number, end: number): number {
  const bodies = ((first + end - 1) * (end - first)) / 2;
  const rows = ((BODY_ROW_COUNT - 1) * BODY_ROW_COUNT) / 2;
  return bodies * NUMBER_STEP * BODY_ROW_COUNT + rows * (end - first);
}

async function ask(connection: Connection, text: string) {
  const reply = await connection.ask({
    method: "POST",
    path: "/api/v3/query_sql",
    contentType: "application/json",
    body: Buffer.from(JSON.stringify({ db: "soak", q: text, format: "json" })),
  });
  const rows = reply.status === 200 ? (JSON.parse(reply.text) as readonly Row[]) : [];
  return { ...reply, rows };
}

function iso(second: number): string {
  return new Date(second * 1_000).toISOString();
}
