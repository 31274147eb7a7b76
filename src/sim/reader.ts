import { DbError } from "#base/errors.ts";
import { findDatabase, findTable } from "#catalog/catalog-state.ts";
import type { ColumnId } from "#model/ids.ts";
import type { Plan, ScanPlan, SourceGroup } from "#model/query/plan.ts";
import { cellAt, type ResultColumn } from "#model/query/result.ts";
import { typeOfColumn } from "#model/query/value-type.ts";
import type { TableSchema } from "#model/schema.ts";
import { ALL_TIME } from "#model/time-range.ts";
import type { WriteToken } from "#model/write-token.ts";
import type { Node } from "#node/node.ts";
import { sourceGroups } from "#query/sources.ts";
import type { View } from "#view/view.ts";
import type { Cell, TrueRow, Truth } from "./truth.ts";

interface ReadRequest {
  readonly database: string;
  readonly table: string;
  readonly tokens: readonly WriteToken[];
}

/** Reads a table of one view, and says what is wrong with what came. Once more on a newer view, as queries do, where a file was replaced. */
export async function readAndCompare(
  node: Node,
  truth: Truth,
  request: ReadRequest,
): Promise<{ readonly view: View; readonly problems: readonly string[] }> {
  try {
    return await readOnce(node, truth, request);
  } catch (error) {
    if (!(error instanceof DbError) || error.code !== "file_vanished") throw error;
    await node.views.refresh(new AbortController().signal);
    return readOnce(node, truth, request);
  }
}

async function readOnce(
  node: Node,
  truth: Truth,
  request: ReadRequest,
): Promise<{ readonly view: View; readonly problems: readonly string[] }> {
  const signal = new AbortController().signal;
  const view = await node.views.acquire(request.tokens, signal);
  try {
    const database = findDatabase(view.catalog, request.database);
    const table = database && findTable(database, request.table);
    if (table === undefined) return { view, problems: [] };
    const groups = sourceGroups(view, table, ALL_TIME);
    const merged = await rowsOf(node, scan(table, groups), table);
    const raw = await rowsOf(node, scan(table, groups.flatMap(apart)), table);
    return { view, problems: compare({ view, truth, table }, merged, raw) };
  } finally {
    view[Symbol.dispose]();
  }
}

/** Each source by itself, so that rows that are there twice are seen twice. */
function apart(group: SourceGroup): readonly SourceGroup[] {
  return group.sources.map((source) => ({ ...group, merge: false, sources: [source] }));
}

function scan(table: TableSchema, groups: readonly SourceGroup[]): ScanPlan {
  return {
    kind: "scan",
    fields: table.columns.map(({ name, kind }) => ({ name, type: typeOfColumn(kind) })),
    tableId: table.id,
    tags: table.columns.filter(({ kind }) => kind === "tag"),
    columns: table.columns,
    time: ALL_TIME,
    groups,
  };
}

async function rowsOf(node: Node, plan: Plan, table: TableSchema): Promise<string[]> {
  const rows: string[] = [];
  for await (const batch of node.engine.query(plan, new AbortController().signal)) {
    for (let row = 0; row < batch.rowCount; row++) {
      const cells = new Map<ColumnId, Cell>();
      for (const [index, column] of batch.columns.entries()) {
        const value = cellOf(column, row);
        const { id } = table.columns[index] as TableSchema["columns"][number];
        if (value !== null) cells.set(id, value);
      }
      rows.push(rowText(table, cells));
    }
  }
  return rows.toSorted();
}

function cellOf(column: ResultColumn, row: number): Cell | null {
  const value = cellAt(column, row);
  if (typeof value === "boolean") return Number(value);
  return typeof value === "object" ? null : value;
}

function rowText(table: TableSchema, cells: ReadonlyMap<ColumnId, Cell>): string {
  return table.columns.map(({ id, name }) => `${name}=${String(cells.get(id) ?? "")}`).join(" ");
}

function compare(
  { view, truth, table }: { view: View; truth: Truth; table: TableSchema },
  merged: readonly string[],
  raw: readonly string[],
): readonly string[] {
  const { nodes, removed } = view.catalog;
  const writers = [...nodes.values(), ...removed.values()];
  const rows = writers.flatMap(({ number, nodeId }) =>
    truth
      .rowsUpTo(nodeId, view.positionOf(number))
      .filter((row) => row.tableId === table.id)
      .filter((row) => !truth.deletes.covers(row, view.catalog.position))
      .map((row) => ({
        ...row,
        cells: new Map([[0 as ColumnId, row.time as Cell], ...row.cells]),
      })),
  );
  const where = writers
    .map(({ number, nodeId }) => `${nodeId}#${view.positionOf(number)}`)
    .join(" ");
  const textOf = ({ cells }: TrueRow) => rowText(table, cells);
  const truthRaw = rows.map(textOf);
  // Compaction leaves rows out that newer ones of their node make superfluous, and no other.
  const compacted = view.files(table.id, ALL_TIME).some(({ file }) => file.node === 0);
  const mustBe = compacted ? withoutSuperfluous(rows, table).map(textOf) : truthRaw;
  const truthMerged = lastWriteWins(rows, table).toSorted();
  return [
    ...difference(`P3 ${table.name} rows at ${where}`, raw, { most: truthRaw, least: mustBe }),
    ...difference(`P5 ${table.name} answer at ${where}`, merged, {
      most: truthMerged,
      least: truthMerged,
    }),
  ];
}

/** Without the rows all of whose fields newer rows of the same node, with their series and time, have. */
function withoutSuperfluous(rows: readonly TrueRow[], table: TableSchema): readonly TrueRow[] {
  const byKey = Map.groupBy(rows, (row) => `${row.nodeId} ${keyOf(row, table)}`);
  return [...byKey.values()].flatMap((group) => {
    const held = new Set<ColumnId>();
    return group
      .toSorted((a, b) => (a.stamp > b.stamp ? -1 : 1))
      .filter(({ cells }, index) => {
        const needed = index === 0 || [...cells.keys()].some((id) => !held.has(id));
        for (const id of cells.keys()) held.add(id);
        return needed;
      });
  });
}

function keyOf({ cells }: TrueRow, table: TableSchema): string {
  const keys = table.columns.filter(({ kind }) => kind === "tag" || kind === "time");
  return keys.map(({ id }) => String(cells.get(id) ?? "")).join("\0");
}

function lastWriteWins(rows: readonly TrueRow[], table: TableSchema): string[] {
  const merged = new Map<string, Map<ColumnId, Cell>>();
  for (const row of rows.toSorted((a, b) => (a.stamp < b.stamp ? -1 : 1))) {
    const { cells } = row;
    const key = keyOf(row, table);
    const known = merged.get(key) ?? new Map<ColumnId, Cell>();
    merged.set(key, known);
    for (const [id, value] of cells) known.set(id, value);
  }
  return [...merged.values()].map((cells) => rowText(table, cells));
}

/** What is wrong with `got`, where nothing beyond `most` may be, and all of `least` must. */
function difference(
  what: string,
  got: readonly string[],
  { least, most }: { readonly least: readonly string[]; readonly most: readonly string[] },
): string[] {
  const missing = withoutOnce(least, got);
  const extra = withoutOnce(got, most);
  if (missing.length === 0 && extra.length === 0) return [];
  return [
    `${what}: missing [${missing.slice(0, 3).join("; ")}], too many [${extra.slice(0, 3).join("; ")}]`,
  ];
}

/** The items of `all` that `taken` does not have, each counted. */
function withoutOnce(all: readonly string[], taken: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const item of taken) counts.set(item, (counts.get(item) ?? 0) + 1);
  return all.filter((item) => {
    const count = counts.get(item) ?? 0;
    counts.set(item, count - 1);
    return count <= 0;
  });
}

/** Whether `error` is an answer that a client may get when things go wrong outside. */
export function isHonestFailure(error: unknown, damaged: boolean): boolean {
  if (!(error instanceof DbError)) return false;
  return error.kind === "unavailable" || (damaged && error.kind === "corrupt");
}
