import type { BoundParameters } from "./parse/tokens/parameters.ts";

/** What is asked in InfluxQL. */
export interface InfluxQlRequest {
  /** Statements, with `;` between. */
  readonly text: string;
  /** That of statements which name none. */
  readonly database: string | undefined;
  /** That of measurements which name none; undefined: the default one of their database. */
  readonly retentionPolicy: string | undefined;
  /** What stands for `$name`. */
  readonly parameters: BoundParameters;
  /** Write tokens: the answer is given when this node has those writes. */
  readonly tokens: readonly string[];
  /** Answers and errors as InfluxDB 3 gives them, of one statement; else as 1.x does. */
  readonly native: boolean;
  /** Whether it came as a request that should change nothing: statements that do say so. */
  readonly readOnly: boolean;
}
