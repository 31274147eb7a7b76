/** Rows as batches of a result. */
import type { IntervalValue } from "#model/query/expression.ts";
import type { Field } from "#model/query/plan.ts";
import type { ResultBatch, ResultColumn } from "#model/query/result.ts";
import { knownType, type Row, type Type, type Value } from "./expression/value.ts";

/** The most rows of a batch. */
export const BATCH_ROW_COUNT_MAX = 8192;

/** `rows` in order; none gives no batch. */
export function* resultBatches(
  rows: readonly Row[],
  fields: readonly Field[],
): Generator<ResultBatch> {
  for (let start = 0; start < rows.length; start += BATCH_ROW_COUNT_MAX) {
    const some = rows.slice(start, start + BATCH_ROW_COUNT_MAX);
    const columns = fields.map(({ type }, index) =>
      columnOf(
        knownType(type),
        some.map((row) => row[index] ?? null),
      ),
    );
    yield { rowCount: some.length, columns };
  }
}

function columnOf(type: Type, cells: readonly Value[]): ResultColumn {
  switch (type) {
    case "null":
      return { type };
    case "string":
      return { type, values: cells as readonly (string | null)[] };
    case "interval":
      return { type, values: cells as readonly (IntervalValue | null)[] };
    case "int64":
    case "timestamp":
    case "duration":
      return { type, values: BigInt64Array.from(wholes(cells)), ...presence(cells) };
    case "uint64":
      return { type, values: BigUint64Array.from(wholes(cells)), ...presence(cells) };
    case "float64":
      return {
        type,
        values: Float64Array.from(cells as number[], (cell) => cell ?? 0),
        ...presence(cells),
      };
    case "boolean":
      return {
        type,
        values: Uint8Array.from(cells, (cell) => Number(cell === true)),
        ...presence(cells),
      };
  }
}

function wholes(cells: readonly Value[]): bigint[] {
  return cells.map((cell) => (cell ?? 0n) as bigint);
}

function presence(cells: readonly Value[]): { readonly present?: Uint8Array } {
  if (!cells.includes(null)) return {};
  return { present: Uint8Array.from(cells, (cell) => Number(cell !== null)) };
}
