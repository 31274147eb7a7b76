import { inTurns, Semaphore, untilAborted } from "#base/async.ts";
import { DbError } from "#base/errors.ts";
import { type Catalog, requireDatabase } from "#catalog/catalog.ts";
import { type CatalogState, findTable, type NodeRecord } from "#catalog/catalog-state.ts";
import {
  addDeletes,
  REQUEST_LENGTH_MAX,
  requestTooLong,
  TABLE_VALUES_LENGTH_MAX,
  type TableDelete,
  tableFull,
} from "#catalog/deletes.ts";
import type { Manifest } from "#manifest/manifest.ts";
import { adoptedOf } from "#manifest/manifest-state.ts";
import type { DeleteCut, NamedTagCondition, RowDeleter, RowDeletion } from "#model/row-delete.ts";
import type { TableSchema } from "#model/schema.ts";
import { STAMP_NONE } from "#model/stamp.ts";
import type { WriteToken } from "#model/write-token.ts";
import { ObjectLog, type ObjectLogPorts } from "#objectlog/object-log.ts";
import type { LogSource } from "#view/log-source.ts";
import { nodeLogPrefix } from "../followers.ts";
import { patternsOf, type TagPattern, tableCondition, type ValuesOf } from "./conditions.ts";
import { loadTail } from "./log-tail.ts";

export interface RowDeletesOptions {
  readonly catalog: Catalog;
  readonly manifest: Manifest;
  readonly ports: ObjectLogPorts;
  /** The node logs that this process reads, as far as it has. */
  readonly logs: () => Iterable<Pick<LogSource, "node" | "state">>;
  /**
   * The values of a tag that a pattern matches, in a view that holds the writes of `tokens`; at most one more than PATTERN_VALUES_MAX,
   * and no more once they have more than TABLE_VALUES_LENGTH_MAX characters.
   * Rejects where this node has no rows to look at, or the pattern is none.
   */
  readonly findValues: (
    pattern: TagPattern,
    tokens: readonly WriteToken[],
    signal: AbortSignal,
  ) => Promise<readonly string[]>;
}

/** A delete keeps the values that its patterns matched: what comes later is not covered. */
export const PATTERN_VALUES_MAX = 10_000;
/** Of all tables together: they are in memory, and in one entry of the catalog. */
const DELETE_VALUES_MAX = 1_000_000;
const DELETES_AT_ONCE_MAX = 4;
const TAILS_AT_ONCE_MAX = 8;

/** The ends of all node logs. */
interface Ends {
  readonly cuts: readonly DeleteCut[];
  /** What a view must hold to show all rows that are meant. */
  readonly tokens: readonly WriteToken[];
}

/** Deletes rows: docs/decisions/0022-row-deletes.md. */
export class RowDeletes implements RowDeleter {
  readonly #options: RowDeletesOptions;
  readonly #permits = new Semaphore(DELETES_AT_ONCE_MAX);

  constructor(options: RowDeletesOptions) {
    this.#options = options;
  }

  async deleteRows(deletion: RowDeletion, signal: AbortSignal): Promise<WriteToken> {
    const leave = await this.#permits.acquire(signal);
    try {
      return await this.#delete(deletion, signal);
    } finally {
      leave();
    }
  }

  async #delete(deletion: RowDeletion, signal: AbortSignal): Promise<WriteToken> {
    const { catalog, ports } = this.#options;
    // Whatever was acknowledged before this line is covered: it is in logs of nodes that this state names.
    const state = await untilAborted(catalog.refresh(), signal);
    requireDatabase(state, deletion.database);
    if (deletion.time.start > deletion.time.end) return this.#token(state);
    const ends = await this.#findEnds(state, signal);
    // Every table and column that a row up to the ends has is in this one.
    const tables = tablesOf(await untilAborted(catalog.refresh(), signal), deletion);
    const valuesOf = await this.#match(deletion.condition, tables, { ends, signal });
    signal.throwIfAborted();
    const { cuts } = ends;
    const shared = { time: deletion.time, cuts, atNs: ports.clock.nowNs() };
    const known = new Set(tables.map(({ id }) => id));
    const after = await catalog.transact((current) => {
      // Tables that came since have no row that is covered; those that were dropped have none at all.
      const left = tablesOf(current, deletion).filter(({ id }) => known.has(id));
      const deletes = tableDeletes(left, deletion.condition, valuesOf);
      return cuts.length === 0 ? [] : addDeletes(current, deletes, shared);
    });
    return this.#token(after);
  }

  #token({ position: catalog }: CatalogState): WriteToken {
    const { node } = this.#options.catalog.writer;
    return { catalog, node, position: 0, stamp: STAMP_NONE };
  }

  /** Where the logs of all nodes end now, in the store; of removed nodes, where the manifest has taken them over. */
  async #findEnds(state: CatalogState, signal: AbortSignal): Promise<Ends> {
    const { logs, manifest } = this.#options;
    const known = new Map([...logs()].map((log) => [log.node, log.state]));
    const writing = [...state.nodes.values()].filter(({ hasLog }) => hasLog);
    const tails = await inTurns(writing, TAILS_AT_ONCE_MAX, async (node) => {
      const log = new ObjectLog(nodeLogPrefix(node.nodeId), this.#options.ports);
      const tail = await untilAborted(loadTail(log, known.get(node.number)), signal);
      return { node: node.number, position: tail.position, stamp: tail.lastStamp };
    });
    // A node was removed when the manifest that the catalog names held all of its log.
    const { needs, removed } = state;
    const taken = await untilAborted(manifest.reach(needs.manifest), signal);
    const left = [...removed.values()].map(({ number: node }: NodeRecord) => {
      return { node, stamp: adoptedOf(taken, node).stamp };
    });
    const ends = [...tails, ...left].filter(({ stamp }) => stamp > STAMP_NONE);
    return {
      cuts: ends.map(({ node, stamp }) => ({ node, stamp })),
      tokens: tails.map((tail) => ({ ...tail, catalog: state.position })),
    };
  }

  /** Looks up what the patterns of `condition` match. */
  async #match(
    condition: NamedTagCondition | undefined,
    tables: readonly TableSchema[],
    { ends, signal }: { readonly ends: Ends; readonly signal: AbortSignal },
  ): Promise<ValuesOf> {
    const patterns = tables.flatMap((table) => (condition ? patternsOf(condition, table) : []));
    const found = new Map<string, readonly string[]>();
    let count = 0;
    let length = 0;
    for (const pattern of patterns) {
      const values = await this.#options.findValues(pattern, ends.tokens, signal);
      if (values.length > PATTERN_VALUES_MAX) throw tooManyValues(pattern);
      count += values.length;
      if (count > DELETE_VALUES_MAX) throw tooManyInAll();
      const ownLength = values.reduce((sum, value) => sum + value.length, 0);
      if (ownLength > TABLE_VALUES_LENGTH_MAX) throw tableFull(pattern.table.name);
      length += ownLength;
      if (length > REQUEST_LENGTH_MAX) throw requestTooLong();
      found.set(keyOf(pattern), values);
    }
    // A tag that has come since was missing, which is the empty text, in all rows that are meant.
    return (pattern) =>
      found.get(keyOf(pattern)) ?? found.get(keyOf({ ...pattern, columnId: undefined })) ?? [];
  }
}

/** The tables that are meant. Throws `not_found` / `database_not_found`. */
function tablesOf(state: CatalogState, { database: name, tables }: RowDeletion): TableSchema[] {
  const database = requireDatabase(state, name);
  if (tables === undefined) return [...database.tables.values()];
  return [...new Set(tables)].flatMap((table) => findTable(database, table) ?? []);
}

/** Those of tables of which a row can be meant. Each is made when it is asked for: all together may be more than is taken. */
function* tableDeletes(
  tables: readonly TableSchema[],
  named: NamedTagCondition | undefined,
  valuesOf: ValuesOf,
): Generator<TableDelete> {
  for (const table of tables) {
    const condition = named === undefined ? true : tableCondition(named, table, valuesOf);
    if (condition !== false) yield { table, condition: condition === true ? undefined : condition };
  }
}

function keyOf({ columnId, pattern, table }: TagPattern): string {
  return `${table.id} ${columnId ?? "-"} ${pattern}`;
}

function tooManyValues({ pattern, table }: TagPattern): DbError {
  return new DbError(
    "exceeded",
    "delete_values",
    `the pattern ${pattern} matches more than ${PATTERN_VALUES_MAX} values of a tag of ${table.name}: delete in parts`,
    { detail: { table: table.name, pattern, valueCountMax: PATTERN_VALUES_MAX } },
  );
}

function tooManyInAll(): DbError {
  return new DbError(
    "exceeded",
    "delete_values",
    `patterns match more than ${DELETE_VALUES_MAX} values of tags in all tables together: delete in parts, table by table`,
    { detail: { valueCountMax: DELETE_VALUES_MAX } },
  );
}
