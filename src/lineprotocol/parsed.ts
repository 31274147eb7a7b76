import type { ColumnData } from "#model/batch.ts";

/** How timestamps of a body are scaled; `auto` decides a line at a time, by magnitude. */
export type Precision =
  | "auto"
  | "hour"
  | "minute"
  | "second"
  | "millisecond"
  | "microsecond"
  | "nanosecond";

/** A line that was not taken. */
export interface RejectedLine {
  /** Counts from 1, every line of the body, blank ones and comments included, as an editor does. */
  readonly lineNumber: number;
  /** The line as sent, bytes that are not UTF-8 replaced. */
  readonly text: string;
  readonly message: string;
}

/** A column as the body spelled it. One name may stand twice, with different kinds: the catalog decides whose rows stay. */
export interface ParsedColumn {
  readonly name: string;
  readonly data: ColumnData;
}

/** The lines of one measurement, in columns, in the order of the body. */
export interface ParsedTable {
  readonly name: string;
  /** Nanoseconds since the Unix epoch. */
  readonly times: BigInt64Array;
  /** For each row, its line: for `ParsedBody.describeLine`. Rises. */
  readonly lines: Uint32Array;
  /** In order of first use. */
  readonly columns: readonly ParsedColumn[];
}

/** What a body says, each good line in one table, each bad line named. */
export interface ParsedBody {
  readonly tables: readonly ParsedTable[];
  /** The first `rejectedMax` bad lines. */
  readonly rejected: readonly RejectedLine[];
  readonly rejectedCount: number;
  /** Lines that are neither blank nor comments. 0: the body says nothing. */
  readonly lineCount: number;
  /** Describes line `index` (see `ParsedTable.lines`) for an error found after parsing. */
  describeLine(index: number): Omit<RejectedLine, "message">;
}

export interface ParseOptions {
  readonly precision: Precision;
  /** Whether a backslash before a tab of a measurement is not part of the name. */
  readonly escapedTabs?: boolean | undefined;
  /** The time of lines that name none, nanoseconds. */
  readonly defaultTimeNs: bigint;
  readonly limits: ParseLimits;
}

/** Longest pieces of a line, in bytes. */
export interface ParseLimits {
  readonly nameSizeMax: number;
  readonly stringSizeMax: number;
  /** Rejected lines that are described; the others are only counted in `rejectedCount`. */
  readonly rejectedMax: number;
}
