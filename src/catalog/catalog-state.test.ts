import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import type { DatabaseId, NodeNumber, TableId, TokenId } from "#model/ids.ts";
import { catalogMachine } from "./catalog-machine.ts";
import {
  applyChanges,
  type CatalogState,
  EMPTY_CATALOG,
  findDatabase,
  findNode,
  findTable,
} from "./catalog-state.ts";
import type { CatalogChange } from "./changes.ts";
import {
  deleteOf,
  KINDS,
  nodeOf,
  textOf,
  throughBytes,
  tokenOf,
  transaction,
  WRITER,
} from "./testing.ts";
import type { V1Change } from "./v1/changes.ts";
import { continuousQueryKey } from "./v1/continuous-queries.ts";

const POLICY = { name: "autogen", replication: 1, shardDurationNs: 1n, isDefault: true };
const QUERY = { database: "db", name: "q", text: "text" };

/** A change that may be made of `state`, chosen by the numbers; undefined where there is none of that kind. */
function legalChange(
  state: CatalogState,
  kind: CatalogChange["kind"],
  dice: number,
): CatalogChange | undefined {
  const live = [...state.databases.values()].filter(({ dropped }) => dropped === undefined);
  const database = live[dice % Math.max(1, live.length)];
  const nodes = [...state.nodes.values()];
  const node = nodes[dice % Math.max(1, nodes.length)];
  const tokens = [...state.tokens.values()];
  const token = tokens[dice % Math.max(1, tokens.length)];
  const atNs = 10n ** 18n + BigInt(dice);
  switch (kind) {
    case "create_cluster":
      return state.cluster === undefined ? { kind, uuid: "uuid", secret: "secret" } : undefined;
    case "register_node": {
      const [removed] = state.removed.values();
      const before = dice % 3 === 0 ? removed : node;
      return dice % 2 === 0 && before !== undefined
        ? { kind, node: { ...before, epoch: before.epoch + 1, updatedAtNs: atNs } }
        : {
            kind,
            node: nodeOf(state.nextNodeNumber, 1, dice % 5 === 0 ? { cliParams: "{}" } : {}),
          };
    }
    case "set_node_state": {
      const nodeState = dice % 2 === 0 ? "stopped" : "removing";
      return node && { kind, number: node.number, state: nodeState, updatedAtNs: atNs };
    }
    case "remove_node": {
      const leaving = nodes.find(({ state: nodeState }) => nodeState === "removing");
      return leaving && { kind, number: leaving.number };
    }
    case "create_database": {
      const name = dice % 7 === 0 ? "db0/rp" : `db${dice % 5}`;
      if (state.databaseIds.has(name)) return undefined;
      const retentionNs = dice % 3 === 0 ? atNs : undefined;
      const schemaMode = dice % 2 === 0 ? "explicit" : undefined;
      return { kind, id: state.nextDatabaseId, name, retentionNs, schemaMode };
    }
    case "set_retention": {
      if (database === undefined) return undefined;
      return { kind, id: database.id, retentionNs: dice % 2 === 0 ? atNs : undefined };
    }
    case "drop_database": {
      if (database === undefined) return undefined;
      const hardDeleteAtNs = dice % 2 === 0 ? atNs + 1n : undefined;
      return { kind, id: database.id, droppedName: `old ${dice}`, atNs, hardDeleteAtNs };
    }
    case "create_table": {
      const name = `t${dice % 4}`;
      if (database === undefined || database.tableIds.has(name)) return undefined;
      const columns = KINDS.slice(0, dice % 6).map((column) => ({ name: column, kind: column }));
      return { kind, databaseId: database.id, id: state.nextTableId, name, columns };
    }
    case "add_columns": {
      const table = database && [...database.tables.values()][dice % 3];
      if (table === undefined) return undefined;
      const columns = [{ name: `c${table.columns.length}`, kind: "float" as const }];
      return { kind, databaseId: table.databaseId, tableId: table.id, columns };
    }
    case "set_table_retention": {
      const table = database && [...database.tables.values()][dice % 3];
      if (table === undefined) return undefined;
      const { databaseId, id: tableId } = table;
      return { kind, databaseId, tableId, retentionNs: dice % 3 === 0 ? undefined : atNs };
    }
    case "drop_table": {
      const table = database && [...database.tables.values()][dice % 3];
      if (table === undefined) return undefined;
      const { databaseId, id: tableId, name } = table;
      const hardDeleteAtNs = dice % 2 === 0 ? atNs + 1n : undefined;
      return { kind, databaseId, tableId, droppedName: `${name} ${dice}`, atNs, hardDeleteAtNs };
    }
    case "create_token":
      return { kind, token: tokenOf(state.nextTokenId, atNs) };
    case "replace_token": {
      const updatedBy = dice % 2 === 0 ? (0 as TokenId) : undefined;
      return token && { kind, id: token.id, hash: `new ${atNs}`, updatedAtNs: atNs, updatedBy };
    }
    case "delete_token":
      return token && token.id > 0 ? { kind, id: token.id } : undefined;
    case "delete_rows": {
      const table = database && [...database.tables.values()][dice % 3];
      return table && { kind, delete: deleteOf(state.nextDeleteId, table.id, dice) };
    }
    case "forget_deletes": {
      const [first] = state.deletes;
      if (first === undefined) return undefined;
      const [tableId, deletes] = first;
      const ids = deletes.slice(0, 1 + (dice % 2)).map(({ id }) => id);
      return { kind, tableId, ids };
    }
    case "set_policy": {
      const policy = {
        name: "rp",
        replication: 1,
        shardDurationNs: atNs,
        isDefault: dice % 2 === 0,
      };
      return database && { kind, id: database.id, policy };
    }
    default:
      return legalV1Change(state, kind, dice);
  }
}

function legalV1Change(
  { users, continuousQueries }: CatalogState,
  kind: V1Change["kind"],
  dice: number,
): CatalogChange | undefined {
  const user = [...users.values()][dice % Math.max(1, users.size)];
  const query = [...continuousQueries.values()][dice % Math.max(1, continuousQueries.size)];
  switch (kind) {
    case "set_user": {
      const name = `user${dice % 4}`;
      const grants = [{ database: "db", privilege: "read" as const }].slice(dice % 2);
      return { kind, user: { name, password: `${dice}`, admin: dice % 3 === 0, grants } };
    }
    case "drop_user":
      return user && { kind, name: user.name };
    case "create_continuous_query": {
      const created = { database: `db${dice % 2}`, name: `${dice % 5}`, text: `text ${dice}` };
      return continuousQueries.has(continuousQueryKey(created))
        ? undefined
        : { kind, query: created };
    }
    case "drop_continuous_query":
      return query && { kind, database: query.database, name: query.name };
    case "set_continuous_run": {
      const times = { dueNs: BigInt(dice), startNs: -1n, endNs: BigInt(dice) };
      const claim = { node: 1 as NodeNumber, epoch: 1, ...times };
      const run = dice % 2 === 0 ? { doneNs: BigInt(dice) } : { claim };
      return query && { kind, database: query.database, name: query.name, run };
    }
  }
}

const aTransaction = fc.array(
  fc.tuple(
    fc.constantFrom<CatalogChange["kind"]>(
      "create_cluster",
      "register_node",
      "set_node_state",
      "remove_node",
      "create_database",
      "create_database",
      "set_retention",
      "drop_database",
      "create_table",
      "create_table",
      "add_columns",
      "add_columns",
      "set_table_retention",
      "drop_table",
      "create_token",
      "create_token",
      "replace_token",
      "delete_token",
      "set_policy",
      "set_user",
      "drop_user",
      "create_continuous_query",
      "drop_continuous_query",
      "set_continuous_run",
      "delete_rows",
      "delete_rows",
      "forget_deletes",
    ),
    fc.nat(1000),
  ),
  { minLength: 1, maxLength: 4 },
);

/** `before` after the wishes that are legal, each applied alone. */
function changed(
  before: CatalogState,
  wishes: readonly (readonly [CatalogChange["kind"], number])[],
) {
  const changes: CatalogChange[] = [];
  let after = before;
  for (const [kind, dice] of wishes) {
    const change = legalChange(after, kind, dice);
    if (change === undefined) continue;
    changes.push(change);
    after = applyChanges(after, [change]);
  }
  return { changes, after };
}

/** The states after each of `transactions`, as a process comes to them by reading the store. */
function replay(transactions: readonly (readonly [CatalogChange["kind"], number][])[]) {
  const states = [EMPTY_CATALOG];
  for (const wishes of transactions) {
    const before = states.at(-1) ?? EMPTY_CATALOG;
    const { changes } = changed(before, wishes);
    const position = before.position + 1;
    const entry = throughBytes(transaction(changes, wishes.length), position);
    states.push(catalogMachine.apply(before, entry));
  }
  return states;
}

suite("state of the catalog", () => {
  test("changes applied together give what they give one by one", () => {
    fc.assert(
      fc.property(aTransaction, aTransaction, (first, second) => {
        const before = changed(EMPTY_CATALOG, first).after;
        const { changes, after } = changed(before, second);
        assert.equal(textOf(applyChanges(before, changes)), textOf(after));
      }),
    );
  });

  test("a checkpoint anywhere stands for all transactions up to it", () => {
    fc.assert(
      fc.property(fc.array(aTransaction, { maxLength: 15 }), (transactions) => {
        for (const state of replay(transactions)) {
          const checkpoint = throughBytes(catalogMachine.checkpoint(state, WRITER), state.position);
          assert.equal(textOf(catalogMachine.restore(checkpoint)), textOf(state));
        }
      }),
      { numRuns: 60 },
    );
  });

  test("ids are never used again, and names by one database at a time", () => {
    fc.assert(
      fc.property(fc.array(aTransaction, { maxLength: 25 }), (transactions) => {
        const state = replay(transactions).at(-1) ?? EMPTY_CATALOG;
        const databases = [...state.databases.values()];
        const live = databases.filter(({ dropped }) => dropped === undefined);
        assert.equal(state.databaseIds.size, live.length);
        for (const database of live) assert.equal(findDatabase(state, database.name), database);
        const tables = databases.flatMap(({ droppedTables, tables: ofDatabase }) => [
          ...ofDatabase.values(),
          ...[...droppedTables.values()].map(({ table }) => table),
        ]);
        const tableIds = tables.map(({ id }) => id);
        assert.equal(new Set(tableIds).size, tableIds.length);
        assert.equal(Math.max(0, ...tableIds) + 1, state.nextTableId);
        const liveTables = live.flatMap(({ tables: ofDatabase }) => [...ofDatabase.values()]);
        assert.equal(liveTables.length, state.tableCount);
        for (const { columns } of tables)
          assert.deepEqual(
            columns.map(({ id }) => id),
            columns.map((_, index) => index),
          );
      }),
      { numRuns: 60 },
    );
  });

  test("states before stay as they were", () => {
    fc.assert(
      fc.property(fc.array(aTransaction, { maxLength: 8 }), aTransaction, (transactions, last) => {
        const early = replay(transactions);
        const before = early.map(textOf);
        const state = early.at(-1) ?? EMPTY_CATALOG;
        applyChanges(state, changed(state, last).changes);
        assert.deepEqual(early.map(textOf), before);
      }),
      { numRuns: 40 },
    );
  });

  test("databases, tables and nodes are found by name, and not when dropped", () => {
    const state = applyChanges(EMPTY_CATALOG, [
      { kind: "register_node", node: nodeOf(1, 1) },
      { kind: "create_database", id: 1 as DatabaseId, name: "db" },
      tableChange(1, 1, "t"),
    ]);
    const database = findDatabase(state, "db");
    assert.ok(database);
    assert.equal(findTable(database, "t")?.id, 1);
    assert.equal(findTable(database, "other"), undefined);
    assert.equal(findDatabase(state, "other"), undefined);
    assert.equal(findNode(state, "node1")?.number, 1);
    assert.equal(findNode(state, "node2"), undefined);
    const drop = { droppedName: "db-1", atNs: 5n } as const;
    const after = applyChanges(state, [{ kind: "drop_database", id: 1 as DatabaseId, ...drop }]);
    assert.equal(findDatabase(after, "db"), undefined);
    assert.equal(findDatabase(after, "db-1"), undefined);
    assert.equal(after.databases.get(1 as DatabaseId)?.name, "db-1");
  });

  const IMPOSSIBLE: readonly (readonly [string, CatalogChange])[] = [
    ["a second cluster", { kind: "create_cluster", uuid: "", secret: "" }],
    ["an epoch twice", { kind: "register_node", node: nodeOf(1, 1) }],
    ["an epoch left out", { kind: "register_node", node: nodeOf(1, 3) }],
    ["a node number left out", { kind: "register_node", node: nodeOf(3, 1) }],
    [
      "a state of no node",
      { kind: "set_node_state", number: 9 as NodeNumber, state: "stopped", updatedAtNs: 1n },
    ],
    ["a removal of a node that runs", { kind: "remove_node", number: 1 as NodeNumber }],
    ["a removal of no node", { kind: "remove_node", number: 9 as NodeNumber }],
    ["a number of two node-ids", { kind: "register_node", node: nodeOf(1, 2, { nodeId: "x" }) }],
    ["a database id twice", { kind: "create_database", id: 1 as DatabaseId, name: "new" }],
    ["a database name twice", { kind: "create_database", id: 3 as DatabaseId, name: "db" }],
    [
      "a drop of what is dropped",
      { kind: "drop_database", id: 2 as DatabaseId, droppedName: "again", atNs: 1n },
    ],
    [
      "a drop of nothing",
      { kind: "drop_database", id: 9 as DatabaseId, droppedName: "nothing", atNs: 1n },
    ],
    ["a policy of what is dropped", { kind: "set_policy", id: 2 as DatabaseId, policy: POLICY }],
    ["a drop of no user", { kind: "drop_user", name: "nobody" }],
    ["a drop of no query", { kind: "drop_continuous_query", database: "db", name: "none" }],
    ["a query twice", { kind: "create_continuous_query", query: QUERY }],
    ["a period of what is dropped", { kind: "set_retention", id: 2 as DatabaseId }],
    ["a table id twice", tableChange(1, 1, "new")],
    ["a table name twice", tableChange(1, 2, "t")],
    ["a table in no database", tableChange(9, 2, "new")],
    ["a table in a dropped database", tableChange(2, 2, "new")],
    ["columns of no table", columnsChange(9, ["a"])],
    ["a column name twice", columnsChange(1, ["a", "a"])],
    ["the column time", columnsChange(1, ["time"])],
  ];
  for (const [what, change] of IMPOSSIBLE) {
    test(`${what} cannot be`, () => {
      const state = applyChanges(EMPTY_CATALOG, [
        { kind: "create_cluster", uuid: "uuid", secret: "secret" },
        { kind: "register_node", node: nodeOf(1, 1) },
        { kind: "create_database", id: 1 as DatabaseId, name: "db" },
        { kind: "create_database", id: 2 as DatabaseId, name: "gone" },
        { kind: "drop_database", id: 2 as DatabaseId, droppedName: "gone-1", atNs: 1n },
        tableChange(1, 1, "t"),
        { kind: "create_continuous_query", query: QUERY },
      ]);
      assert.throws(() => applyChanges(state, [change]), { code: "assertion_failed" });
    });
  }
});

function tableChange(databaseId: number, id: number, name: string): CatalogChange {
  return {
    kind: "create_table",
    databaseId: databaseId as DatabaseId,
    id: id as TableId,
    name,
    columns: [{ name: "c", kind: "float" }],
  };
}

function columnsChange(tableId: number, names: readonly string[]): CatalogChange {
  return {
    kind: "add_columns",
    databaseId: 1 as DatabaseId,
    tableId: tableId as TableId,
    columns: names.map((name) => ({ name, kind: "float" })),
  };
}
