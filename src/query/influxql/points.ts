import type { ResultColumn } from "#model/query/result.ts";

/**
 * Rows of one series of a source, in typed columns: what engines and subqueries give, and what each step of a SELECT makes of it.
 *
 * A series is a measurement and the values of the tags of GROUP BY. Series come by name, then by these values; rows of one series by
 * time, of one time by their other tags; with ORDER BY time DESC all the other way round. A series may come in several pieces.
 */
export interface Points {
  readonly series: SeriesKey;
  readonly rowCount: number;
  /** Nanoseconds. */
  readonly times: BigInt64Array;
  /** float64, int64, uint64, string or boolean, in the order that whoever gives them says. */
  readonly columns: readonly ResultColumn[];
  /** Whether no more rows of the series come. */
  readonly last: boolean;
}

export interface SeriesKey {
  readonly name: string;
  /** Values of `ResolvedSelect.dimensions`, empty where the series has none. */
  readonly tags: readonly string[];
}
