import type { DbError } from "#base/errors.ts";
import type { ResultColumn } from "#model/query/result.ts";

/** What became of one statement of a request; statements are counted from 0. */
export type StatementResult =
  | { readonly kind: "answer"; readonly id: number; readonly answer: StatementAnswer }
  | { readonly kind: "error"; readonly id: number; readonly error: DbError };

/** What one statement of a request answers. */
export interface StatementAnswer {
  /** By series, of one series in one chunk or several one after the other. A rejection is the statement's error, also after some rows. */
  readonly series: AsyncIterable<SeriesChunk>;
  /** What the user is told beside the rows. */
  readonly messages: readonly Message[];
  /** In which times are shown as text: an IANA name; UTC unless said. */
  readonly zone: string | undefined;
}

export interface Message {
  readonly level: "warning";
  readonly text: string;
}

/** Rows of one series, or of one list of a SHOW. Times are of type timestamp; absent cells are null. */
export interface SeriesChunk {
  /** Empty where it has none. */
  readonly name: string;
  /** By key; empty without GROUP BY tags. Tags that a series has not are empty. */
  readonly tags: readonly (readonly [key: string, value: string])[];
  readonly columns: readonly string[];
  readonly rowCount: number;
  /** Cells in the order of `columns`. */
  readonly cells: readonly ResultColumn[];
  /** Whether the next chunk is of the same series. */
  readonly partial: boolean;
}
