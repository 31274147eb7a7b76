import { encodeBlock } from "#block/block.ts";
import type { ColumnBatch } from "#model/batch.ts";
import type { ColumnId, DatabaseId, GenerationId, TableId } from "#model/ids.ts";
import type { SourceGroup } from "#model/query/plan.ts";
import type { ColumnKind, TableSchema } from "#model/schema.ts";
import { ALL_TIME } from "#model/time-range.ts";
import type { BufferedBlock } from "#ports/engine.ts";
import type { PlanContext } from "#query/plan/context.ts";
import { textData } from "./samples/batches.ts";

/** A table of tests: a tag and a field of each kind. */
export const HOME = tableOf(7, "home", {
  time: "time",
  room: "tag",
  temp: "float",
  hum: "integer",
  u: "uinteger",
  ok: "boolean",
  note: "string",
});
const MIXED = tableOf(8, "Mixed", { time: "time", Host: "tag" });

const SECOND = 1_000_000_000n;
const GENERATION = 1 as GenerationId;

/** Four rows; the second block corrects the first one's row of Kitchen at second 0. */
const BLOCKS: readonly ColumnBatch[] = [
  batchOf([0n, SECOND, 61n * SECOND], {
    1: textData("tag", ["Kitchen", "Kitchen", "Bath"]),
    2: { kind: "float", values: Float64Array.of(21, 22.5, 19) },
    3: { kind: "integer", values: BigInt64Array.of(35n, 36n, 0n), present: Uint8Array.of(1, 1, 0) },
    5: { kind: "boolean", values: Uint8Array.of(1, 0, 1) },
  }),
  batchOf([0n, 120n * SECOND], {
    1: textData("tag", ["Kitchen", null]),
    2: { kind: "float", values: Float64Array.of(20, 0), present: Uint8Array.of(1, 0) },
    4: { kind: "uinteger", values: BigUint64Array.of(7n, 18_446_744_073_709_551_615n) },
    6: textData("string", ['a "b"', "ü"]),
  }),
];
/** What holds the rows of `homeBlocks`. */
export const HOME_ROWS: readonly SourceGroup[] = [
  {
    merge: true,
    sources: [{ kind: "buffer", generation: GENERATION, positionAbove: 0, positionMax: 2 }],
  },
];

/** The rows of `HOME`, as engines take them. */
export function homeBlocks(): readonly BufferedBlock[] {
  return BLOCKS.map((batch, index) => ({
    generation: GENERATION,
    tableId: HOME.id,
    position: index + 1,
    stamp: BigInt(index + 1),
    bytes: encodeBlock(batch),
  }));
}

/** A context of tests with `HOME`, another table and a system table; `groups` hold every table's rows. */
export function homeContext(
  groups: readonly SourceGroup[] = [{ merge: false, sources: [] }],
): PlanContext {
  return {
    findTable: (name) => [HOME, MIXED].find((table) => table.name === name),
    findSystemTable: (name) =>
      name !== "nodes"
        ? undefined
        : {
            fields: [
              { name: "name", type: "string" },
              { name: "running", type: "boolean" },
            ],
            rows: [
              ["a", true],
              ["b", null],
            ],
          },
    tableNames: () => ["home", "Mixed"],
    systemTableNames: () => ["nodes"],
    sources: () => groups,
    fileCount: () => 0,
    parameters: { from: "2020-01-01T00:00:00Z", skip: 5n, room: "Kitchen", nothing: null },
    nowNs: 1_700_000_000_000_000_000n,
    kept: () => ALL_TIME,
  };
}

function tableOf(
  id: number,
  name: string,
  kinds: Readonly<Record<string, ColumnKind>>,
): TableSchema {
  const columns = Object.entries(kinds).map(([column, kind], index) => ({
    id: index as ColumnId,
    name: column,
    kind,
  }));
  return { id: id as TableId, databaseId: 1 as DatabaseId, name, columns };
}

function batchOf(
  times: readonly bigint[],
  columns: Readonly<Record<number, ColumnBatch["columns"][number]["data"]>>,
): ColumnBatch {
  return {
    databaseId: HOME.databaseId,
    tableId: HOME.id,
    times: BigInt64Array.from(times),
    columns: Object.entries(columns).map(([id, data]) => ({ id: Number(id) as ColumnId, data })),
  };
}
