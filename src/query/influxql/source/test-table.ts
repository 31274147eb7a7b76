/** A table for tests, and what reads it. */
import type { Bench, BenchTable, WrittenRow } from "#engine/contract/bench.ts";
import type { DatabaseId } from "#model/ids.ts";
import type { SourceGroup } from "#model/query/plan.ts";
import type { ResultColumn } from "#model/query/result.ts";
import { cellAt } from "#model/query/result.ts";
import type { ColumnKind, TableSchema } from "#model/schema.ts";
import { ALL_TIME } from "#model/time-range.ts";
import type { BufferedBlock } from "#ports/engine.ts";
import type { Points } from "../points.ts";
import type { Reading } from "./reading.ts";

const FOREVER = new AbortController().signal;

export interface TestTable {
  readonly table: TableSchema;
  readonly reading: Reading;
  readonly rows: BenchTable;
  /** What was appended. */
  readonly blocks: readonly BufferedBlock[];
}

/** A table `name` of `rows` in the buffer of the bench's engine. */
export async function testTable(
  bench: Bench,
  name: string,
  kinds: Readonly<Record<string, Exclude<ColumnKind, "time">>>,
  rows: readonly WrittenRow[],
): Promise<TestTable> {
  const held = bench.table(kinds);
  const generation = bench.generation();
  if (rows.length > 0) await held.append(generation, 1, 1n, rows);
  const groups: readonly SourceGroup[] =
    rows.length > 0 ? [{ merge: true, sources: [held.buffered(generation)] }] : [];
  const columns = held.columns.map(({ fileName, id, kind }) => ({ id, kind, name: fileName }));
  const table = { id: held.id, databaseId: 3 as DatabaseId, name, columns };
  const blocks = held.blocksOf([held.buffered(generation)]);
  return { table, rows: held, blocks, reading: readingOf(bench, groups) };
}

export function readingOf(bench: Bench, groups: readonly SourceGroup[]): Reading {
  return {
    kept: () => ALL_TIME,
    sources: () => groups,
    run: (plan) => bench.engine.query(plan, FOREVER),
  };
}

/** Series with their rows, time first; pieces of one series are joined. */
export async function showPoints(points: AsyncIterable<Points>): Promise<readonly string[]> {
  const lines: string[] = [];
  for await (const { columns, rowCount, series, times } of points) {
    for (let row = 0; row < rowCount; row += 1) {
      const cells = columns.map((column) => showCell(column, row));
      lines.push([`${series.name}[${series.tags.join(",")}]`, times[row], ...cells].join(" "));
    }
  }
  return lines;
}

function showCell(column: ResultColumn, row: number): string {
  const cell = cellAt(column, row);
  return typeof cell === "object" ? "-" : cell.toString();
}
