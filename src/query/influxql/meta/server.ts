/** SHOW QUERIES, KILL QUERY, SHOW STATS and SHOW DIAGNOSTICS: of the node that is asked. */
import { DbError } from "#base/errors.ts";
import { v1DatabaseNames } from "#catalog/v1/policies.ts";
import type { StatementAnswer } from "../answer.ts";
import type { KillQueryStatement, ShowStatement } from "../ast.ts";
import type { MetaContext, MetaOptions } from "./context.ts";
import { MetaData } from "./data/meta-data.ts";
import { goDuration } from "./go-text.ts";
import { answerOf, type Cell, type List, NO_ROWS, numbers, texts } from "./rows.ts";

/** Figures of one part of a node. */
export interface FigureModule {
  readonly name: string;
  readonly tags?: List["tags"];
  readonly values: Readonly<Record<string, Cell>>;
}

/** What only the program knows of itself. */
export interface Figures {
  stats(): readonly FigureModule[];
  diagnostics(): readonly FigureModule[];
}

const QUERY_COLUMNS = [...numbers("qid"), ...texts("query", "database", "duration", "status")];
const ROUND_NS = [1_000_000_000n, 1_000_000n, 1_000n] as const;

export async function showQueries({ log }: MetaOptions): Promise<StatementAnswer> {
  const rows = [...log.running].map(({ database, elapsedMs, killed, number, text }) => [
    BigInt(number),
    text,
    database,
    roundDuration(BigInt(Math.round(elapsedMs * 1_000_000))),
    killed.aborted ? "killed" : "running",
  ]);
  return answerOf([{ name: "", columns: QUERY_COLUMNS, rows }]);
}

/** Rejects with `not_found` / `query_not_found`. A host is not asked for: queries of other nodes are killed there. */
export async function killQuery(
  { id }: KillQueryStatement,
  { log }: MetaOptions,
): Promise<StatementAnswer> {
  if (log.kill(Number(id))) return NO_ROWS;
  throw new DbError("not_found", "query_not_found", `no such query id: ${id}`, {
    detail: { number: Number(id) },
  });
}

export async function showFigures(
  { module, what }: Extract<ShowStatement, { what: "stats" | "diagnostics" }>,
  options: MetaOptions,
  context: MetaContext,
): Promise<StatementAnswer> {
  const { figures } = options;
  const all =
    what === "diagnostics"
      ? figures.diagnostics().toSorted((left, right) => (left.name < right.name ? -1 : 1))
      : [...figures.stats(), queryStats(options), ...(await databaseStats(options, context))];
  const shown = all.filter(({ name }) => module === undefined || name === module);
  return answerOf(shown.map(listOf));
}

function queryStats({ log }: MetaOptions): FigureModule {
  const activeCount = [...log.running].length;
  const values = {
    queriesActive: BigInt(activeCount),
    queriesExecuted: BigInt(log.count),
    queriesFinished: BigInt(log.count - activeCount),
  };
  return { name: "queryExecutor", values };
}

async function databaseStats(
  options: MetaOptions,
  context: MetaContext,
): Promise<readonly FigureModule[]> {
  using data = await MetaData.open(options, context);
  const modules: FigureModule[] = [];
  for (const name of v1DatabaseNames(data.view.catalog)) {
    const measurements = await data.measurements(data.policiesOf(name) ?? []);
    const values = { numMeasurements: BigInt(measurements.length) };
    modules.push({ name: "database", tags: [["database", name]], values });
  }
  return modules;
}

function listOf({ name, tags = [], values }: FigureModule): List {
  const columns = Object.entries(values).map(([column, value]) => ({
    name: column,
    type: typeOf(value),
  }));
  return { name, tags, columns, rows: [Object.values(values)] };
}

function typeOf(value: Cell): List["columns"][number]["type"] {
  if (typeof value === "bigint") return "int64";
  if (typeof value === "number") return "float64";
  return typeof value === "boolean" ? "boolean" : "string";
}

/** Whole seconds, milliseconds or microseconds: of the largest there is at least one. */
function roundDuration(ns: bigint): string {
  const unit = ROUND_NS.find((each) => ns >= each) ?? 1n;
  return goDuration(ns - (ns % unit));
}
