/** What InfluxDB 3 refuses in statements that InfluxDB 1 answers. */
import { DbError } from "#base/errors.ts";
import type { InfluxQlStatement, MeasurementMatch, MeasurementSource } from "../ast.ts";
import { refused } from "../check/errors.ts";

/** Whether it does more than tell. */
export function isChange(statement: InfluxQlStatement): boolean {
  if (statement.kind === "select") return statement.into !== undefined;
  return statement.kind !== "show" && statement.kind !== "explain";
}

/** Throws `unsupported` / `influxql_read_only`, `invalid` / `influxql_refused`. `database` is that of the request, undefined where it names none. */
export function refuseOldStatement(
  statement: InfluxQlStatement,
  database: string | undefined,
): void {
  if (isChange(statement)) throw readOnly(statement);
  if (statement.kind !== "show") return;
  if ("database" in statement) refuseOtherDatabase(statement.database, database);
  if ("from" in statement) statement.from.forEach(refusePath);
  if (statement.what === "measurements" && statement.measurement !== undefined)
    refuseMismatch(statement.measurement);
}

function readOnly({ kind }: InfluxQlStatement): DbError {
  const words = kind === "select" ? "SELECT INTO" : kind.replaceAll("_", " ").toUpperCase();
  return new DbError(
    "unsupported",
    "influxql_read_only",
    `This feature is not implemented: ${words}, as this API only asks: send it to /query`,
    { detail: { statement: words } },
  );
}

function refuseOtherDatabase(named: string | undefined, asked: string | undefined): void {
  if (named === undefined || asked === undefined || named === asked) return;
  throw refused(
    `the request names the database '${asked}', and its statement says ON "${named}": name one alone, or the same in both`,
  );
}

/** Measurements are those of the database that is asked, all its retention policies. */
function refusePath({ database, retentionPolicy }: MeasurementSource): void {
  if (database !== undefined) throw refused(notThere("a database name in from clause"));
  if (retentionPolicy !== undefined) throw refused(notThere("a retention policy in from clause"));
}

function notThere(what: string): string {
  return `SHOW does not take ${what}: say ON, or leave it out`;
}

function refuseMismatch({ operator, source }: MeasurementMatch): void {
  const { kind } = source.name;
  if (operator === "=" && kind === "regex")
    throw refused("WITH MEASUREMENT =: expected string but got regex");
  if (operator === "=~" && kind === "name")
    throw refused("WITH MEASUREMENT =~: expected regex but got string");
  refusePath(source);
}
