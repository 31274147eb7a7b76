/** Rows for tests of points/, and a source that gives them in pieces of any size. */

import { compareText } from "#base/bytes.ts";
import type { ColumnId, DatabaseId, TableId } from "#model/ids.ts";
import { cellAt, type ResultBatch } from "#model/query/result.ts";
import { ALL_TIME } from "#model/time-range.ts";
import { seededRandom } from "#ports/random.ts";
import type { Points } from "../points.ts";
import type { Output, ResolvedSelect, VariableInput } from "../resolved.ts";
import type { Outside } from "./rows.ts";
import { selectSeries } from "./select.ts";
import type { PointSource, RowRequest, SeriesRequest, TableSource } from "./source.ts";
import { ColumnBuilder, columnType, type PointValue } from "./values/columns.ts";

export interface TestRow {
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly timeNs: bigint;
  readonly fields: Readonly<Record<string, PointValue>>;
}

export const SECOND_NS = 1_000_000_000n;

/** `m,h=a v=1,i=2i 10`: times in seconds; integers end in i. */
export function testRows(text: string): readonly TestRow[] {
  return text
    .trim()
    .split("\n")
    .map((line) => {
      const [series = "", fields = "", seconds = "0"] = line.trim().split(" ");
      const [name = "", ...tags] = series.split(",");
      return {
        name,
        tags: Object.fromEntries(tags.map((tag) => tag.split("=", 2))),
        timeNs: BigInt(seconds) * SECOND_NS,
        fields: Object.fromEntries(
          fields.split(",").map((field) => {
            const [key = "", value = ""] = field.split("=", 2);
            return [key, parseValue(value)];
          }),
        ),
      };
    });
}

function parseValue(text: string): PointValue {
  if (text.startsWith('"')) return text.slice(1, -1);
  if (text === "true" || text === "false") return text === "true";
  return text.endsWith("i") ? BigInt(text.slice(0, -1)) : Number(text);
}

/** Rows in memory; `pieceMax` rows a piece. Reduces nothing. */
export class MemoryPoints implements PointSource {
  readonly #rows: readonly TestRow[];
  readonly #pieceMax: number;

  constructor(rows: readonly TestRow[], pieceMax = 1000) {
    this.#rows = rows;
    this.#pieceMax = pieceMax;
  }

  async *raw(request: RowRequest): AsyncGenerator<Points> {
    const { source, dimensions, descending, time, variables } = request;
    const sign = descending ? -1 : 1;
    const fields = variables.filter(({ type }) => type !== "tag");
    const chosen = this.#rows
      .filter(
        ({ name, timeNs }) => name === source.name && timeNs >= time.start && timeNs <= time.end,
      )
      .filter(
        (row) => fields.length === 0 || fields.some(({ name }) => row.fields[name] !== undefined),
      )
      .map((row) => ({ row, tags: dimensions.map((name) => row.tags[name] ?? "") }))
      .toSorted((left, right) => sign * compareRows(left, right));
    let start = 0;
    while (start < chosen.length) {
      const key = chosen[start]?.tags ?? [];
      let end = start + 1;
      while (end < chosen.length && compareLists(chosen[end]?.tags ?? [], key) === 0) end += 1;
      for (let from = start; from < end; from += this.#pieceMax) {
        const to = Math.min(end, from + this.#pieceMax);
        const rows = chosen.slice(from, to).map(({ row }) => row);
        yield piece(rows, { name: source.name, tags: key }, variables, to === end);
      }
      start = end;
    }
    await Promise.resolve();
  }

  canReduce(): boolean {
    return false;
  }

  async *series({ source, dimensions }: SeriesRequest): AsyncGenerator<ResultBatch> {
    const found = this.#rows
      .filter(({ name }) => name === source.name)
      .map(({ tags }) => dimensions.map((name) => tags[name] ?? ""))
      .toSorted(compareLists)
      .filter((tags, index, all) => index === 0 || compareLists(tags, all[index - 1] ?? []) !== 0);
    const columns = dimensions.map((_, index) => {
      return { type: "string", values: found.map((tags) => tags[index] || null) } as const;
    });
    await Promise.resolve();
    yield { rowCount: found.length, columns };
  }

  async *reduced(): AsyncGenerator<Points> {
    await Promise.reject(new Error("nothing is reduced here"));
    yield* [];
  }
}

function piece(
  rows: readonly TestRow[],
  series: Points["series"],
  variables: readonly VariableInput[],
  last: boolean,
): Points {
  const columns = variables.map(({ name, type }) => {
    const builder = new ColumnBuilder(columnType(type));
    for (const row of rows) {
      builder.push((type === "tag" ? row.tags[name] : row.fields[name]) ?? null);
    }
    return builder.finish();
  });
  const times = BigInt64Array.from(rows, ({ timeNs }) => timeNs);
  return { series, rowCount: rows.length, times, columns, last };
}

interface Keyed {
  readonly row: TestRow;
  readonly tags: readonly string[];
}

function compareRows(left: Keyed, right: Keyed): number {
  return (
    compareLists(left.tags, right.tags) ||
    Number(left.row.timeNs > right.row.timeNs) - Number(left.row.timeNs < right.row.timeNs) ||
    compareText(seriesText(left.row), seriesText(right.row))
  );
}

function seriesText({ tags }: TestRow): string {
  return JSON.stringify(
    Object.entries(tags).toSorted(([left], [right]) => compareText(left, right)),
  );
}

function compareLists(left: readonly string[], right: readonly string[]): number {
  for (const [index, text] of left.entries()) {
    const order = compareText(text, right[index] ?? "");
    if (order !== 0) return order;
  }
  return 0;
}

/** `fields` are floats. */
export function testTable(name: string, fields: readonly string[] = []): TableSource {
  const source = {
    kind: "table",
    name,
    database: "d",
    condition: undefined,
    types: new Map(),
    table: {
      id: 1 as TableId,
      databaseId: 1 as DatabaseId,
      name,
      columns: fields.map((field, id) => ({
        id: id as ColumnId,
        name: field,
        kind: "float" as const,
      })),
    },
  } as const;
  return source;
}

export function testSelect(
  parts: Partial<ResolvedSelect> & { outputs: readonly Output[] },
): ResolvedSelect {
  return {
    sources: [testTable("m")],
    time: ALL_TIME,
    ownTime: ALL_TIME,
    startsAt: false,
    dimensions: [],
    window: undefined,
    fill: { kind: "null" },
    fillsUnknown: true,
    raw: false,
    inputs: [],
    timeName: "time",
    descending: false,
    seriesDescending: parts.descending ?? false,
    limit: 0,
    offset: 0,
    seriesLimit: 0,
    seriesOffset: 0,
    zone: undefined,
    ...parts,
  };
}

export function outside(
  source: PointSource,
  signal: AbortSignal = new AbortController().signal,
): Outside {
  return {
    signal,
    source,
    random: seededRandom(1),
    matcher: (pattern) => (text) => new RegExp(pattern, "u").test(text),
  };
}

/** The answer as lines: series, then time in seconds and cells. */
export async function answerOf(
  select: ResolvedSelect,
  source: PointSource,
): Promise<readonly string[]> {
  const lines: string[] = [];
  let whole = false;
  for await (const chunk of selectSeries(select, outside(source))) {
    if (!whole)
      lines.push([chunk.name, ...chunk.tags.map(([key, value]) => `${key}=${value}`)].join(","));
    whole = chunk.partial;
    for (let row = 0; row < chunk.rowCount; row += 1) {
      const [time, ...cells] = chunk.cells.map((cell) => cellAt(cell, row));
      const seconds = typeof time === "bigint" ? Number(time) / Number(SECOND_NS) : "?";
      lines.push(
        [
          String(seconds),
          ...cells.map((cell) => (typeof cell === "object" ? "-" : String(cell))),
        ].join(" "),
      );
    }
  }
  return lines;
}
