import type { Credential } from "#access/credential.ts";
import type { AdminPrincipal, Principal } from "#access/principal.ts";
import type { AdminTokenRequest, IssuedToken } from "#access/tokens.ts";
import type { NewColumn, SchemaMode } from "#catalog/catalog-state.ts";
import type { OfficeAnswer, OfficeAsk } from "#compaction/office/office-call.ts";
import type { WriteOutcome, WriteRequest } from "#ingest/write.ts";
import type { Standing, StandingAsk } from "#lifecycle/contact/standing.ts";
import type { Push } from "#lifecycle/pusher.ts";
import type { NodeNumber } from "#model/ids.ts";
import type { RowDeleter } from "#model/row-delete.ts";
import type { StatementResult } from "#query/influxql/answer.ts";
import type { InfluxQlRequest } from "#query/influxql/request.ts";
import type { QueryAnswer, QueryRequest } from "#query/query.ts";

/** What the HTTP surface calls. node/ fulfils it; tests pass small objects. */
export interface HttpServices {
  /** Who has `credential`; nobody where it is none that is known. Rejects with `unavailable` / `token_unchecked`. */
  authenticate(credential: Credential, signal: AbortSignal): Promise<Principal>;
  write(request: WriteRequest, signal: AbortSignal): Promise<WriteOutcome>;
  query(request: QueryRequest, signal: AbortSignal): Promise<QueryAnswer>;
  /** Deletes rows, as `RowDeleter` says. */
  deleteRows: RowDeleter["deleteRows"];
  /** Runs one statement after the other, each when its result is asked for. Rejects with what concerns the whole request. */
  influxQl(request: InfluxQlRequest, signal: AbortSignal): Promise<AsyncIterable<StatementResult>>;
  /** Rejects with `conflict` / `database_exists`, `invalid` / `database_name`, `exceeded` / `database_limit`. */
  createDatabase(request: CreateDatabaseRequest): Promise<void>;
  /** Rejects with `not_found` / `database_not_found`, `invalid` / `database_internal`. */
  updateDatabase(request: UpdateDatabaseRequest): Promise<void>;
  /** Rejects with `not_found` / `database_not_found`. */
  deleteDatabase(request: DeleteDatabaseRequest): Promise<void>;
  /** Rejects with `conflict` / `table_exists`, `exceeded` / `table_limit`, `column_limit`, `not_found` / `database_not_found`. */
  createTable(request: CreateTableRequest): Promise<void>;
  /** Adds columns. Rejects with `invalid` / `column_exists`, `exceeded` / `column_limit`, `not_found`. */
  extendTable(request: ExtendTableRequest): Promise<void>;
  /** Rejects with `not_found` / `table_missing`, `database_not_found`. */
  updateTable(request: UpdateTableRequest): Promise<void>;
  /** Rejects with `not_found` / `table_missing`, `database_not_found`. */
  deleteTable(request: DeleteTableRequest): Promise<void>;
  listDatabases(options: { showDeleted: boolean }): Promise<readonly DatabaseListing[]>;
  /** The first token of the cluster. Rejects with `conflict` / `token_exists`. */
  createOperatorToken(): Promise<IssuedToken>;
  /** Replaces the text of the token that `by` brought, the operator's. */
  replaceOperatorToken(by: AdminPrincipal): Promise<IssuedToken>;
  /** Replaces it for whoever may ask. Rejects with `not_found` / `token_not_found`, `denied` / `forbidden` where it was done already. */
  recoverOperatorToken(): Promise<IssuedToken>;
  /** Rejects with `conflict` / `token_exists`, `invalid` / `token_name`, `exceeded` / `token_limit`. */
  createAdminToken(request: AdminTokenRequest, by: AdminPrincipal): Promise<IssuedToken>;
  /** Rejects with `not_found` / `token_not_found`, `unsupported` / `token_operator`. */
  deleteToken(name: string, by: AdminPrincipal): Promise<void>;
  /** How many queries run at once here, and may by the node's options. */
  queryConcurrency(): QueryConcurrency;
  /** Undefined: as by the node's options. Throws `invalid` / `query_limit_range`. */
  limitQueryConcurrency(limit: number | undefined): void;
  /** Resolves when the node can serve; rejects with `unavailable` and the reason otherwise. */
  ready(): Promise<void>;
  /**
   * Asks a node of the cluster to stop; resolves when that is in the catalog.
   * Rejects with `not_found` / `node_not_found`, `invalid` / `node_already_stopped`.
   */
  stopNode(nodeId: string): Promise<void>;
  /**
   * Asks for the removal of a node that has stopped; resolves when that is in the catalog.
   * Rejects with `not_found` / `node_not_found`, `conflict` / `node_not_stopped`, `node_compacts`.
   */
  removeNode(nodeId: string): Promise<void>;
  /** Throws `unsupported` / `mode_missing` where this node runs no plugins. */
  requireProcessing(): void;
  /** Another node, `from`, says that the catalog has something new. */
  refresh(from: NodeNumber): Promise<void>;
  /** Another node says how far its log goes. Waits for nothing. */
  hearPush(push: Push): void;
  /** Another node asks how far the logs go. */
  answerStanding(ask: StandingAsk): Standing;
  /** A compact node that stands by asks which term this one is in. */
  answerOffice(ask: OfficeAsk): OfficeAnswer;
  /** Answers another node's question who this is. */
  identify(): NodeIdentity;
  /** Prometheus text. */
  metrics(): Promise<string>;
}

export interface QueryConcurrency {
  readonly limit: number;
  readonly limitMax: number;
}

export interface CreateDatabaseRequest {
  readonly name: string;
  /** Undefined: rows are kept for ever. */
  readonly retentionNs: bigint | undefined;
  readonly schemaMode: SchemaMode;
}

export interface UpdateDatabaseRequest {
  readonly name: string;
  /** Undefined: rows are kept for ever. */
  readonly retentionNs: bigint | undefined;
}

export interface DeleteDatabaseRequest {
  readonly name: string;
  readonly hardDelete: HardDelete;
  /** What goes: all, the tables, or their rows. */
  readonly scope: "database" | "tables" | "rows";
}

/** When the files of what is deleted may go. */
export type HardDelete = "default" | "never" | "now" | { readonly atNs: bigint };

export interface TableTarget {
  readonly database: string;
  readonly table: string;
}

export interface ExtendTableRequest extends TableTarget {
  readonly columns: readonly NewColumn[];
}

export interface UpdateTableRequest extends TableTarget {
  /** Undefined: rows are kept as long as those of the database. */
  readonly retentionNs: bigint | undefined;
}

export interface CreateTableRequest extends ExtendTableRequest, UpdateTableRequest {}

export interface DeleteTableRequest extends TableTarget {
  readonly hardDelete: HardDelete;
  readonly scope: "table" | "rows";
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
