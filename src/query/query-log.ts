import { fromUtf8, utf8 } from "#base/bytes.ts";
import { DbError } from "#base/errors.ts";
import type { LiteralValue } from "#model/query/expression.ts";
import type { Field } from "#model/query/plan.ts";
import type { Writer } from "#objectlog/shared-log.ts";
import type { Clock } from "#ports/clock.ts";
import { withoutSecrets } from "./secrets.ts";
import type { SystemTable } from "./system-tables.ts";

/** How far a query has come. */
type Phase = "received" | "permit" | "planned" | Outcome;
export type Outcome = "success" | "fail" | "cancel";
export type QueryLanguage = "influxql" | "sql";

/** Of longer texts the log keeps the beginning. */
const TEXT_LENGTH_MAX = 2_048;

const FIELDS: readonly Field[] = [
  { name: "id", type: "string" },
  { name: "phase", type: "string" },
  { name: "issue_time", type: "timestamp" },
  { name: "query_type", type: "string" },
  { name: "query_text", type: "string" },
  { name: "partitions", type: "int64" },
  { name: "parquet_files", type: "int64" },
  { name: "plan_duration", type: "int64" },
  { name: "permit_duration", type: "int64" },
  { name: "execute_duration", type: "int64" },
  { name: "end2end_duration", type: "int64" },
  { name: "compute_duration", type: "int64" },
  { name: "max_memory", type: "int64" },
  { name: "success", type: "boolean" },
  { name: "running", type: "boolean" },
  { name: "cancelled", type: "boolean" },
];

/** The queries that came last to this node, and how they went: the table `system.queries`. */
export class QueryLog {
  readonly #clock: Clock;
  readonly #entriesMax: number;
  readonly #writer: () => Writer;
  /** Oldest first. */
  readonly #records: QueryRecord[] = [];
  /** Those that have not ended, by number. As many as there may be at once: they have or wait for a place. */
  readonly #running = new Map<number, QueryRecord>();
  #count = 0;

  /** `writer` is this start of this node. */
  constructor(clock: Clock, entriesMax: number, writer: () => Writer) {
    this.#clock = clock;
    this.#entriesMax = entriesMax;
    this.#writer = writer;
  }

  /** How many have come. */
  get count(): number {
    return this.#count;
  }

  /** Those that have not ended, oldest first. */
  get running(): Iterable<QueryRecord> {
    return this.#running.values();
  }

  /** Ends query `number` wherever it is; false where none of this number runs here. */
  kill(number: number): boolean {
    const record = this.#running.get(number);
    record?.kill();
    return record !== undefined;
  }

  /** A query has come, asked in `database`. Whoever asks for it tells of its end. */
  begin(text: string, language: QueryLanguage = "sql", database = ""): QueryRecord {
    this.#count += 1;
    const number = this.#count;
    const id = queryId(this.#clock.nowNs(), this.#writer(), number);
    const onEnd = () => this.#running.delete(number);
    const record = new QueryRecord({ database, id, language, number, onEnd, text }, this.#clock);
    this.#running.set(number, record);
    this.#records.push(record);
    if (this.#records.length > this.#entriesMax) this.#records.shift();
    return record;
  }

  /** A record of what is no query: it is not remembered. */
  unseen(text: string): QueryRecord {
    return new QueryRecord({ ...UNSEEN, text }, this.#clock);
  }

  /** What it remembers now, newest first. Durations are nanoseconds; those of phases that have not ended are NULL. */
  table(): SystemTable {
    return { fields: FIELDS, rows: this.#records.toReversed().map((record) => record.row()) };
  }
}

const UNSEEN = {
  database: "",
  id: "",
  language: "sql",
  number: 0,
  onEnd: () => undefined,
} as const;

interface NewQuery {
  readonly database: string;
  readonly id: string;
  readonly language: QueryLanguage;
  readonly number: number;
  readonly onEnd: () => void;
  readonly text: string;
}

/** One query: each step is told once, in the order of the methods; a step that is told again counts from the last time. */
export class QueryRecord {
  /** Of this start of this node, from 1. */
  readonly number: number;
  /** Empty where none is named. */
  readonly database: string;
  /** The beginning of a long one; without passwords. */
  readonly text: string;
  readonly #clock: Clock;
  readonly #id: string;
  readonly #language: QueryLanguage;
  readonly #onEnd: () => void;
  readonly #kill = new AbortController();
  readonly #issueNs: bigint;
  readonly #issueMs: number;
  #phase: Phase = "received";
  #permitMs: number | undefined;
  #plannedMs: number | undefined;
  #endMs: number | undefined;
  #fileCount: number | undefined;

  constructor({ database, id, language, number, onEnd, text }: NewQuery, clock: Clock) {
    this.number = number;
    this.database = database;
    this.text = beginningOf(text);
    this.#id = id;
    this.#language = language;
    this.#onEnd = onEnd;
    this.#clock = clock;
    this.#issueNs = clock.nowNs();
    this.#issueMs = clock.monotonicMs();
  }

  /** Aborted when somebody ends it who is not its client. */
  get killed(): AbortSignal {
    return this.#kill.signal;
  }

  get elapsedMs(): number {
    return this.#clock.monotonicMs() - this.#issueMs;
  }

  kill(): void {
    this.#kill.abort(
      new DbError("conflict", "query_killed", "query interrupted", {
        detail: { number: this.number },
      }),
    );
  }

  /** It has its place among those that run. */
  permitted(): void {
    this.#phase = "permit";
    this.#permitMs = this.#clock.monotonicMs();
  }

  /** It is planned on a view, and reads `fileCount` files. */
  planned(fileCount: number): void {
    this.#phase = "planned";
    this.#plannedMs = this.#clock.monotonicMs();
    this.#fileCount = fileCount;
  }

  /** It reads so many files, which is found out while it runs. */
  reads(fileCount: number): void {
    this.#fileCount = fileCount;
  }

  /** It has ended; what is said of its end later does not count. */
  end(outcome: Outcome): void {
    if (this.#endMs !== undefined) return;
    this.#phase = outcome;
    this.#endMs = this.#clock.monotonicMs();
    this.#onEnd();
  }

  row(): readonly LiteralValue[] {
    const ended = this.#endMs !== undefined;
    return [
      this.#id,
      this.#phase,
      this.#issueNs,
      this.#language,
      this.text,
      null,
      this.#fileCount === undefined ? null : BigInt(this.#fileCount),
      durationNs(this.#permitMs, this.#plannedMs),
      durationNs(this.#issueMs, this.#permitMs),
      durationNs(this.#plannedMs, this.#endMs),
      durationNs(this.#issueMs, this.#endMs),
      null,
      null,
      this.#phase === "success",
      !ended,
      this.#phase === "cancel",
    ];
  }
}

/**
 * A UUID of version 7 (RFC 9562 §5.7) that no other query of the cluster has: milliseconds of the clock, then, where there might be
 * chance, 14 bits of the node, 24 of its epoch and 36 of the query's number in it.
 */
export function queryId(nowNs: bigint, { epoch, node }: Writer, number: number): string {
  const who = (BigInt(node) << 24n) | BigInt.asUintN(24, BigInt(epoch));
  const own = (who << 36n) | BigInt.asUintN(36, BigInt(number));
  const milliseconds = BigInt.asUintN(48, nowNs / 1_000_000n);
  const head = (milliseconds << 16n) | 0x7000n | (own >> 62n);
  const tail = (0b10n << 62n) | BigInt.asUintN(62, own);
  const text = [head, tail].map((half) => half.toString(16).padStart(16, "0")).join("");
  return text.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

function durationNs(startMs: number | undefined, endMs: number | undefined): bigint | null {
  if (startMs === undefined || endMs === undefined) return null;
  return BigInt(Math.round((endMs - startMs) * 1_000_000));
}

/** A copy: a slice would keep all of the text. */
function beginningOf(text: string): string {
  if (text.length <= TEXT_LENGTH_MAX) return withoutSecrets(text);
  return withoutSecrets(`${fromUtf8(utf8(text.slice(0, TEXT_LENGTH_MAX)))}…`);
}
