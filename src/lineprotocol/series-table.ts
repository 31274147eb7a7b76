/** Tables whose tags stand once for each series, as the fast parser reads them. */
import type { ColumnData } from "#model/batch.ts";
import type { ParsedParts } from "./parse.ts";
import type { ParsedColumn, ParsedTable } from "./parsed.ts";

/** What a `ParsedTable` says. */
export interface SeriesTable extends Pick<ParsedTable, "name" | "times" | "lines"> {
  /** Each row's series, from 0 in order of appearance. Two may have the same tags, written otherwise. */
  readonly series: Uint32Array;
  readonly seriesCount: number;
  /** The columns, in order of first use: tags have a cell for each series, all others for each row. */
  readonly cells: readonly ParsedColumn[];
}

/** What parsing gives, by series. */
export type SeriesParts = Omit<ParsedParts, "tables"> & { readonly tables: readonly SeriesTable[] };

/** Gives each row the tags of its series. */
export function spreadSeries({ cells, lines, name, series, times }: SeriesTable): ParsedTable {
  const columns = cells.map(({ data, name: column }): ParsedColumn => {
    return { name: column, data: "codes" in data ? spread(data, series) : data };
  });
  return { name, times, lines, columns };
}

/** The table with a series for each row. */
export function seriesTable({ columns, lines, name, times }: ParsedTable): SeriesTable {
  const series = new Uint32Array(times.length);
  for (let row = 0; row < series.length; row += 1) series[row] = row;
  return { name, times, lines, series, seriesCount: times.length, cells: columns };
}

function spread(
  { codes, dictionary, kind }: Extract<ColumnData, { codes: unknown }>,
  series: Uint32Array,
): ColumnData {
  if (kind === "string") return { kind, codes, dictionary };
  const all = new Uint32Array(series.length);
  for (let row = 0; row < all.length; row += 1) all[row] = codes[series[row] as number] as number;
  return { kind, codes: all, dictionary };
}
