import type { Precision, RejectedLine } from "#lineprotocol/parsed.ts";
import type { LiteralValue } from "#model/expression.ts";
import type { Field, ResultBatch } from "#model/plan.ts";

/** What the HTTP surface calls. node/ fulfils it; tests pass small objects. */
export interface HttpServices {
  write(request: WriteRequest, signal: AbortSignal): Promise<WriteOutcome>;
  query(request: QueryRequest, signal: AbortSignal): Promise<QueryAnswer>;
  /** Rejects with `conflict` / `database_exists`, `invalid` / `database_name`, `exceeded` / `database_limit`. */
  createDatabase(request: CreateDatabaseRequest): Promise<void>;
  /** Rejects with `not_found` / `database_not_found`. */
  deleteDatabase(request: DeleteDatabaseRequest): Promise<void>;
  listDatabases(options: { showDeleted: boolean }): Promise<readonly DatabaseListing[]>;
  /** Resolves when the node can serve; rejects with `unavailable` and the reason otherwise. */
  ready(): Promise<void>;
  /** Answers another node's question who this is. */
  identify(): NodeIdentity;
  /** Prometheus text. */
  metrics(): Promise<string>;
}

export interface WriteRequest {
  readonly database: string;
  /** Line protocol, inflated. The callee keeps it only until the promise settles. */
  readonly body: Uint8Array;
  readonly precision: Precision;
  /** Good lines are stored although others are bad. */
  readonly acceptPartial: boolean;
  /** Wait until the lines are durable. */
  readonly sync: boolean;
  /** Write tokens that the client brought: this write is ordered after those. */
  readonly tokens: readonly string[];
}

export interface WriteOutcome {
  /** Where the write is; undefined when nothing was stored. */
  readonly token: string | undefined;
  /** Lines that were not stored, the first 100. With `acceptPartial` false and any, nothing was stored. */
  readonly rejected: readonly RejectedLine[];
  readonly rejectedCount: number;
  /** Whether one of them met a limit of databases, tables or columns: 422 in place of 400. */
  readonly limitMet: boolean;
}

export interface QueryRequest {
  readonly database: string;
  readonly text: string;
  readonly parameters: Readonly<Record<string, LiteralValue>>;
  /** Write tokens: the answer is given when this node has those writes. */
  readonly tokens: readonly string[];
}

export interface QueryAnswer {
  readonly fields: readonly Field[];
  /** The next batch is made when it is asked for. A rejection means that the answer is not complete. */
  readonly batches: AsyncIterable<ResultBatch>;
}

export interface CreateDatabaseRequest {
  readonly name: string;
  /** Undefined: rows are kept for ever. */
  readonly retentionNs: bigint | undefined;
}

export interface DeleteDatabaseRequest {
  readonly name: string;
  readonly hardDelete: "default" | "never" | "now" | { readonly atNs: bigint };
}

export interface DatabaseListing {
  readonly name: string;
  readonly deleted: boolean;
}

export interface NodeIdentity {
  readonly nodeId: string;
  readonly clusterId: string;
  /** Of this process; differs after every start. */
  readonly processId: string;
  /** Of the cluster, from its catalog; undefined until that is read. */
  readonly clusterUuid: string | undefined;
  readonly version: string;
}
