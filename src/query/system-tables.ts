import type { CatalogState, DropRecord } from "#catalog/catalog-state.ts";
import type { TokenGrant } from "#catalog/tokens.ts";
import type { NodeNumber, TokenId } from "#model/ids.ts";
import type { LiteralValue } from "#model/query/expression.ts";
import type { Field } from "#model/query/plan.ts";
import type { TableSchema } from "#model/schema.ts";

/** Grants as InfluxDB 3 writes them: what kind of thing, which of them, what may be done with it. */
const PERMISSIONS: Readonly<Record<TokenGrant["kind"], string>> = { admin: "*:*:*" };

/** A table whose rows this process knows by itself. */
export interface SystemTable {
  readonly fields: readonly Field[];
  readonly rows: readonly (readonly LiteralValue[])[];
}

/** When this node last heard from another one; undefined when it did not. */
export type LastSeenNs = (node: NodeNumber) => bigint | undefined;

/** The table `system.<name>` as of `catalog`; undefined when there is none. */
export function findSystemTable(
  catalog: CatalogState,
  name: string,
  lastSeenNs: LastSeenNs,
): SystemTable | undefined {
  switch (name) {
    case "nodes":
      return nodesTable(catalog, lastSeenNs);
    case "databases":
      return databasesTable(catalog);
    case "tables":
      return tablesTable(catalog);
    case "tokens":
      return tokensTable(catalog);
    default:
      return undefined;
  }
}

/** The columns that InfluxDB 3 has, in its order, then those that it does not. */
function nodesTable({ nodes }: CatalogState, lastSeenNs: LastSeenNs): SystemTable {
  return {
    fields: [
      { name: "node_id", type: "string" },
      { name: "node_catalog_id", type: "int64" },
      { name: "instance_id", type: "string" },
      { name: "mode", type: "string" },
      { name: "core_count", type: "int64" },
      { name: "state", type: "string" },
      { name: "updated_at", type: "timestamp" },
      { name: "cli_params", type: "string" },
      { name: "last_seen", type: "timestamp" },
      { name: "epoch", type: "int64" },
    ],
    rows: [...nodes.values()].map((node) => [
      node.nodeId,
      BigInt(node.number),
      node.instanceId,
      node.modes.join(","),
      BigInt(node.coreCount),
      node.state,
      node.updatedAtNs,
      node.cliParams ?? null,
      lastSeenNs(node.number) ?? null,
      BigInt(node.epoch),
    ]),
  };
}

function databasesTable({ databases }: CatalogState): SystemTable {
  return {
    fields: [
      { name: "database_name", type: "string" },
      { name: "retention_period_ns", type: "uint64" },
      { name: "deleted", type: "boolean" },
      { name: "hard_deletion_time", type: "timestamp" },
    ],
    rows: [...databases.values()].map(({ name, retentionNs, dropped }) => [
      name,
      retentionNs ?? null,
      dropped !== undefined,
      dropped?.hardDeleteAtNs ?? null,
    ]),
  };
}

function tablesTable({ databases }: CatalogState): SystemTable {
  return {
    fields: [
      { name: "database_name", type: "string" },
      { name: "table_name", type: "string" },
      { name: "column_count", type: "uint64" },
      { name: "series_key_columns", type: "string" },
      { name: "last_cache_count", type: "uint64" },
      { name: "distinct_cache_count", type: "uint64" },
      { name: "deleted", type: "boolean" },
      { name: "hard_deletion_time", type: "timestamp" },
    ],
    rows: [...databases.values()].flatMap(({ name, dropped, droppedTables, tables }) => [
      ...[...tables.values()].map((table) => tableRow(name, table, dropped)),
      ...[...droppedTables.values()].map((gone) => tableRow(name, gone.table, gone.dropped)),
    ]),
  };
}

function tableRow(
  database: string,
  { name, columns }: TableSchema,
  dropped: DropRecord | undefined,
): readonly LiteralValue[] {
  const tags = columns.filter(({ kind }) => kind === "tag");
  const seriesKey = tags.map((tag) => tag.name).join(", ");
  const count = BigInt(columns.length);
  // There are no caches yet.
  const caches = [0n, 0n];
  const deletion = [dropped !== undefined, dropped?.hardDeleteAtNs ?? null];
  return [database, name, count, seriesKey, ...caches, ...deletion];
}

function tokensTable({ tokens }: CatalogState): SystemTable {
  return {
    fields: [
      { name: "token_id", type: "int64" },
      { name: "name", type: "string" },
      { name: "hash", type: "string" },
      { name: "created_at", type: "timestamp" },
      { name: "description", type: "string" },
      { name: "created_by_token_id", type: "int64" },
      { name: "updated_at", type: "timestamp" },
      { name: "updated_by_token_id", type: "int64" },
      { name: "expiry", type: "timestamp" },
      { name: "permissions", type: "string" },
    ],
    rows: [...tokens.values()].map((token) => [
      BigInt(token.id),
      token.name,
      token.hash,
      token.createdAtNs,
      null,
      idOf(token.createdBy),
      token.updatedAtNs ?? null,
      idOf(token.updatedBy),
      token.expiresAtNs ?? null,
      PERMISSIONS[token.grant.kind],
    ]),
  };
}

function idOf(id: TokenId | undefined): LiteralValue {
  return id === undefined ? null : BigInt(id);
}
