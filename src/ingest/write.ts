import type { Precision, RejectedLine } from "#lineprotocol/parsed.ts";

export interface WriteRequest {
  readonly database: string;
  /**
   * Present: `database` is one of InfluxDB 1, whose rows go where its retention policy `name` says, undefined: the default one. Rows that
   * are past their retention are not stored then. With `mustExist` the write rejects where there is no such policy; else that comes to be.
   */
  readonly policy?: { readonly name: string | undefined; readonly mustExist?: boolean } | undefined;
  /** Line protocol, inflated. The write takes it over: it may be empty to others from then on. */
  readonly body: Uint8Array;
  readonly precision: Precision;
  /** As of `ParseOptions`. */
  readonly escapedTabs?: boolean | undefined;
  /** Good lines are stored although others are bad. */
  readonly acceptPartial: boolean;
  /** Wait until the lines are durable. */
  readonly sync: boolean;
  /** Write tokens that the client brought: this write is ordered after those. */
  readonly tokens: readonly string[];
}

export interface WriteOutcome {
  /** Where the write is; undefined when nothing was stored, or when nobody waited for it. */
  readonly token: string | undefined;
  /** Lines that were not stored, the first 100. With `acceptPartial` false and any, nothing was stored. */
  readonly rejected: readonly RejectedLine[];
  readonly rejectedCount: number;
  /** Rows that were not stored because they are past their retention; absent: none. They are not among the rejected. */
  readonly expiredCount?: number;
  /** Whether one of them met a limit of tables or columns: 422 in place of 400. */
  readonly limitMet: boolean;
}

/** How many tables and columns there may be. */
export interface SchemaLimits {
  readonly databaseCountMax: number;
  readonly tableCountMax: number;
  /** Of one table, `time` included. */
  readonly columnCountMax: number;
  /** Of one table. */
  readonly tagCountMax: number;
}
