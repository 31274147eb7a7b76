/** EXPLAIN: what a SELECT reads and computes, as rows of text. */

import { ALL_TIME, intersection, type TimeRange } from "#model/time-range.ts";
import { formatTimestamp } from "#model/time-text.ts";
import type { Clock } from "#ports/clock.ts";
import type { SeriesChunk } from "./answer.ts";
import type { Input, ResolvedSelect, ResolvedSource, VariableInput } from "./resolved.ts";
import type { ReadSelect } from "./select.ts";

export interface ExplainOptions {
  /** With ANALYZE: the rows, which are counted. */
  readonly rows: AsyncIterable<SeriesChunk> | undefined;
  readonly clock: Clock;
  /** When it began. */
  readonly startMs: number;
}

/** One list of lines. */
export async function* explained(
  { files, reading, select }: ReadSelect,
  { clock, rows, startMs }: ExplainOptions,
): AsyncGenerator<SeriesChunk> {
  const sourceCount = (source: Table) => {
    const time = intersection(timeOf(select), reading.kept(source.table));
    if (time === undefined) return 0;
    return reading
      .sources(source.table, time)
      .reduce((sum, group) => sum + group.sources.length, 0);
  };
  const lines = linesOf(select, sourceCount);
  if (rows !== undefined) {
    const plannedMs = clock.monotonicMs();
    let [rowCount, seriesCount] = [0, 0];
    for await (const chunk of rows) {
      rowCount += chunk.rowCount;
      if (!chunk.partial) seriesCount += 1;
    }
    const endMs = clock.monotonicMs();
    lines.push(
      `ROWS: ${rowCount}`,
      `SERIES: ${seriesCount}`,
      `FILES READ: ${files.count}`,
      `PLANNING TIME: ${(plannedMs - startMs).toFixed(3)}ms`,
      `EXECUTION TIME: ${(endMs - plannedMs).toFixed(3)}ms`,
    );
  }
  yield {
    name: "",
    tags: [],
    columns: [rows === undefined ? "QUERY PLAN" : "EXPLAIN ANALYZE"],
    rowCount: lines.length,
    cells: [{ type: "string", values: lines }],
    partial: false,
  };
}

type Table = Extract<ResolvedSource, { readonly kind: "table" }>;

function timeOf({ time }: ResolvedSelect): TimeRange {
  return intersection(time, ALL_TIME) ?? time;
}

function linesOf(select: ResolvedSelect, sourceCount: (source: Table) => number): string[] {
  return select.sources.flatMap((source) => {
    const lines = [
      `EXPRESSION: ${namesOf(select.inputs.filter(({ kind }) => kind === "reducer"))}`,
      `FIELDS: ${namesOf(select.inputs.filter(({ kind }) => kind === "variable"))}`,
      `TIME: ${formatTimestamp(select.time.start)}Z to ${formatTimestamp(select.time.end)}Z`,
    ];
    if (source.kind === "subquery")
      return [
        ...lines,
        "SUBQUERY:",
        ...linesOf(source.select, sourceCount).map((line) => `  ${line}`),
      ];
    return [
      ...lines,
      `MEASUREMENT: ${source.database}.${source.name}`,
      `NUMBER OF SOURCES: ${sourceCount(source)}`,
    ];
  });
}

function namesOf(inputs: readonly Input[]): string {
  return inputs.length === 0 ? "<nil>" : inputs.map(nameOf).join(", ");
}

function nameOf(input: Input): string {
  if (input.kind === "variable") return variableText(input);
  const { argument, distinct, name } = input;
  return `${name}(${distinct ? `distinct(${variableText(argument)})` : variableText(argument)})`;
}

function variableText({ name, type }: VariableInput): string {
  return `${name}::${type}`;
}
