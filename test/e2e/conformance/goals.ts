/**
 * The goals of the runs of conformance cases, all in one place. The cases and their runners are others' and lie beside the checkout; ids of
 * cases that may fail stand in `allowed.txt`, each under a class that docs/differences.md explains.
 */

export interface ConformanceRun {
  readonly name: string;
  /** A run that is off is skipped, as is everything where the cases are not beside the checkout. */
  readonly isOn: boolean;
  readonly runner: "run-http.mjs" | "run-sql.mjs";
  readonly file: string;
  /** Whether the node asks for tokens. */
  readonly auth: boolean;
  /** Categories that are neither counted nor checked, for nothing of them is built. */
  readonly leftOut: readonly string[];
  readonly goals: readonly Goal[];
}

export interface Goal {
  /** What must pass of its categories, of 1. */
  readonly share: number;
  /** All that are not left out unless given. */
  readonly categories?: readonly string[];
  /** Those that are not counted. */
  readonly without?: readonly string[];
}

const DAILY_CATEGORIES =
  `datetime aggregate string select window join math conditional subquery cte cast setop
  regex`.split(/\s+/);

/** Texts of another parser and planner: as many as are cheap, so they are checked but not counted. */
const TEXT_CATEGORIES = ["sql-parser", "sql-errors"];

const HTTP = {
  isOn: true,
  runner: "run-http.mjs",
  file: "http-visible.jsonl",
  leftOut: ["cache"],
  goals: [
    { share: 0.95, without: TEXT_CATEGORIES },
    { share: 0.95, categories: ["query-influxql", "query-v1"] },
  ],
} as const;

export const RUNS: readonly ConformanceRun[] = [
  { ...HTTP, name: "HTTP without tokens", auth: false },
  { ...HTTP, name: "HTTP with tokens", auth: true },
  {
    name: "SQL",
    isOn: true,
    runner: "run-sql.mjs",
    file: "sql-visible.jsonl",
    auth: false,
    leftOut: [],
    goals: [{ share: 0.97, categories: DAILY_CATEGORIES }, { share: 0.92 }],
  },
  {
    name: "InfluxQL as InfluxDB 3 answers it",
    isOn: true,
    runner: "run-sql.mjs",
    file: "influxql-visible.jsonl",
    auth: false,
    leftOut: [],
    goals: [{ share: 0.97 }],
  },
  {
    name: "SQL of time series",
    isOn: true,
    runner: "run-sql.mjs",
    file: "tsql-visible.jsonl",
    auth: false,
    leftOut: [],
    goals: [{ share: 0.97 }],
  },
];
