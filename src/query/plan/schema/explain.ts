/** EXPLAIN: a plan as rows of text. */
import type { TableId } from "#model/ids.ts";
import type { Field, Plan, ScanPlan, SourceGroup } from "#model/query/plan.ts";
import { scansOf } from "#model/query/walk.ts";
import type { TableSchema } from "#model/schema.ts";
import { literal } from "../bind/fold.ts";
import type { PlanContext } from "../context.ts";
import { describePlan } from "../describe.ts";

/** A plan, and the tables that its statement names. */
export interface PlannedRead {
  readonly plan: Plan;
  readonly tables: ReadonlyMap<TableId, TableSchema>;
}

/** The columns of EXPLAIN's answer. */
const EXPLAIN_FIELDS: readonly Field[] = [
  { name: "plan_type", type: "string" },
  { name: "plan", type: "string" },
];

/** The rows of EXPLAIN: what is done, then what is read for it. */
export function explained(read: PlannedRead, context: PlanContext): Plan {
  const scans = scansOf(read.plan).map((scan) => scanLine(scan, read.tables, context));
  const physical = scans.length > 0 ? scans.join("\n") : "nothing is read";
  return {
    kind: "values",
    fields: EXPLAIN_FIELDS,
    rows: [
      ["logical_plan", describePlan(read.plan)],
      ["physical_plan", physical],
    ].map((row) => row.map((text) => literal(text, "string"))),
  };
}

/** What a scan reads, and how many files it does not. */
function scanLine(
  { groups, tableId }: ScanPlan,
  tables: PlannedRead["tables"],
  context: PlanContext,
): string {
  const table = tables.get(tableId);
  const read = filesOf(groups);
  const all = table === undefined ? 0 : context.fileCount(table);
  const rowCount = [...read.values()].reduce((sum, count) => sum + count, 0);
  const merged = groups.filter(({ merge }) => merge);
  const parts = [
    `files_read=${read.size}`,
    `files_pruned=${Math.max(all - read.size, 0)}`,
    `rows_in_files=${rowCount}`,
    `buffered_parts=${buffersOf(groups)}`,
    `groups=${groups.length}`,
    `groups_merged=${merged.length}`,
  ];
  return `scan ${table?.name ?? tableId}: ${parts.join(", ")}`;
}

/** Row counts of files by key. */
function filesOf(groups: readonly SourceGroup[]): ReadonlyMap<string, number> {
  const files = groups.flatMap(({ sources }) =>
    sources.flatMap((source) => (source.kind === "file" ? [source.file] : [])),
  );
  return new Map(files.map(({ key, rowCount }) => [key, rowCount]));
}

function buffersOf(groups: readonly SourceGroup[]): number {
  const buffers = groups.flatMap(({ sources }) =>
    sources.flatMap((source) => (source.kind === "buffer" ? [source.generation] : [])),
  );
  return new Set(buffers).size;
}
