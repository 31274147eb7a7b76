import { type Semaphore, untilAborted } from "#base/async.ts";
import { DbError } from "#base/errors.ts";
import type { Catalog, CatalogLimits, DropTimes } from "#catalog/catalog.ts";
import type { CatalogState } from "#catalog/catalog-state.ts";
import type { CatalogChange } from "#catalog/changes.ts";
import type { RowDeleter } from "#model/row-delete.ts";
import type { Clock } from "#ports/clock.ts";
import type { Engine } from "#ports/engine.ts";
import type { Random } from "#ports/random.ts";
import type { Views } from "#view/views.ts";
import type { QueryLog } from "../../query-log.ts";
import type { Figures } from "./server.ts";

export interface MetaOptions {
  readonly catalog: Catalog;
  readonly changes: CatalogChanges;
  readonly views: Views;
  readonly engine: Engine;
  readonly clock: Clock;
  readonly rows: RowDeleter;
  /** The queries of this node. */
  readonly log: QueryLog;
  readonly figures: Figures;
  /** For what is beside passwords in their hashes. */
  readonly random: Random;
  /** Places of those that hash passwords. */
  readonly hashing: Semaphore;
  readonly limits: CatalogLimits;
  /** Of what is dropped now. */
  readonly dropTimes: () => DropTimes;
}

/** Changes of the catalog, on this node: decided on a state read anew, and again after every lost race. */
export interface CatalogChanges {
  /** Rejects with what `decide` throws, and `invalid` / `database_internal` where `database` is not the users'. */
  change(database: string, decide: Decide): Promise<void>;
  /** As `change`, of how long rows are kept. */
  changeRetention(database: string, decide: Decide): Promise<void>;
}

export type Decide = (state: CatalogState) => readonly CatalogChange[];

/** What a request says beside its statements. */
export interface MetaContext {
  /** Undefined or empty: none. */
  readonly database: string | undefined;
  /** Of measurements whose source names none; undefined or empty: the default one. */
  readonly retentionPolicy?: string | undefined;
  /** Write tokens: the answer is given when this node has those writes. */
  readonly tokens: readonly string[];
  /** Whether WHERE of SHOW MEASUREMENTS is one of rows, as in InfluxDB 3; else as 1.x takes it. */
  readonly native?: boolean;
  /** Aborted when the client leaves, or its time is over. */
  readonly signal: AbortSignal;
}

/** The newest catalog: what another node has changed is seen, so every node answers the same. */
export function newestCatalog(
  { catalog }: Pick<MetaOptions, "catalog">,
  { signal }: MetaContext,
): Promise<CatalogState> {
  return untilAborted(catalog.refresh(), signal);
}

/** The database that a statement asks in: its own or the request's. Throws `invalid` / `database_missing`. */
export function databaseAsked(named: string | undefined, { database }: MetaContext): string {
  const name = named === undefined || named === "" ? database : named;
  if (name !== undefined && name !== "") return name;
  throw new DbError("invalid", "database_missing", "database name required");
}
