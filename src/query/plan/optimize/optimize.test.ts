import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { inspect } from "node:util";
import * as fc from "fast-check";
import { DbError } from "#base/errors.ts";
import type { DuckDbEngine } from "#engine/duckdb/duckdb-engine.ts";
import { openTestEngine } from "#engine/duckdb/test-engine.ts";
import type { Plan } from "#model/query/plan.ts";
import { cellAt } from "#model/query/result.ts";
import { HOME_ROWS, homeBlocks, homeContext } from "#testing/home.ts";
import { parseStatement } from "../../sql/statement.ts";
import { planAsWritten, planStatement } from "../plan.ts";

const FOREVER = new AbortController().signal;
const SCRIPT = join(import.meta.dirname, "../../testdata/relations.txt");

/** Relations with columns a (text), b (number), t (time), and joins, groups and sets of them. `%r` is a relation, `%c` a condition on it. */
const RELATIONS = `select room a, temp b, time t from home; select room a, hum::double b, time t from home where %c0;
  select a, max(b) b, max(t) t from (%r) group by a; select a, sum(b) b, t from (%r) group by a, t having count(*) < 3;
  select * from (%r) where %c; select distinct a, b, t from (%r); select a, b, t from (%r) order by b desc nulls last, t, a limit 3;
  select x.a, y.b, x.t from (%r) x %j join (%r) y on x.a = y.a and %o; select y.a, x.b, y.t from (%r) x %j join (%r) y on x.t = y.t where %o;
  (%r) union all (%r); (%r) union (%r); (%r) except (%r); (%r) intersect (%r);
  select * from (%r) x where exists (select 1 from (%r) y where y.a = x.a and %o); select * from (%r) x where x.b in (select y.b from (%r) y where %o);
  select a, (select max(y.b) from (%r) y where y.a = x.a) b, t from (%r) x; with w as (%r) select w.a, w.b, v.t from w, w v where w.t = v.t and w.a is not distinct from v.a`;
const CONDITIONS = `a = 'Kitchen'; a is null; b > 20; b is not null; t > '1970-01-01T00:00:00.5'; t <= '1970-01-01T00:01:01'; a = 'Bath' or b < 21;
  b * 2 > 40; coalesce(a, 'x') <> 'Kitchen'; not (b = 19); t between '1970-01-01' and '1970-01-01T00:00:30'; false; a in ('Bath', 'x')`;

suite("plans that read less", () => {
  let engine: DuckDbEngine;
  const context = homeContext(HOME_ROWS);
  before(async () => {
    engine = await openTestEngine({ load: () => Promise.reject(new Error("no files")) });
    await engine.append(homeBlocks());
  });
  after(() => engine[Symbol.asyncDispose]());

  async function rowsOf(plan: Plan): Promise<readonly string[]> {
    const rows: string[] = [];
    for await (const batch of engine.query(plan, FOREVER)) {
      for (let row = 0; row < batch.rowCount; row += 1)
        rows.push(batch.columns.map((column) => inspect(cellAt(column, row))).join("|"));
    }
    return rows.toSorted();
  }

  /** The rows, or the code of the error that a value or a subquery causes. */
  async function outcome(plan: Plan): Promise<readonly string[] | string> {
    try {
      return await rowsOf(plan);
    } catch (error) {
      if (error instanceof DbError && error.kind === "invalid") return error.code;
      throw error;
    }
  }

  async function assertSame(sql: string): Promise<void> {
    const statement = parseStatement(sql);
    assert.ok(statement.kind === "query");
    const written = await outcome(planAsWritten(statement, context));
    assert.deepEqual(await outcome(planStatement(statement, context)), written, sql);
  }

  test("give the rows of those that were written, for the statements of the script", async () => {
    const statements = [
      ...readFileSync(SCRIPT, "utf8").matchAll(
        /^(?!#|explain)(.+)\n----\n(?!invalid|unsupported|exceeded)/gm,
      ),
    ];
    assert.ok(statements.length > 30);
    for (const [, sql = ""] of statements) await assertSame(sql);
  });

  test("give the rows of those that were written, for any tables made of tables", async () => {
    await fc.assert(fc.asyncProperty(tables(), assertSame), { numRuns: 150 });
  });
});

/** Statements made of RELATIONS and CONDITIONS, some levels deep. */
function tables(): fc.Arbitrary<string> {
  const patterns = RELATIONS.split(";").map((pattern) => pattern.trim());
  const conditions = fc.constantFrom(...CONDITIONS.split(";").map((one) => one.trim()));
  const { relation } = fc.letrec<{ relation: string }>((tie) => ({
    relation: fc.oneof(
      { maxDepth: 3, depthSize: "small" },
      ...patterns.map((pattern) => filled(pattern, tie("relation"), conditions)),
    ),
  }));
  return relation;
}

function filled(
  pattern: string,
  relation: fc.Arbitrary<string>,
  conditions: fc.Arbitrary<string>,
): fc.Arbitrary<string> {
  const joins = fc.constantFrom("inner", "left", "right", "full");
  const qualified = fc
    .tuple(fc.constantFrom("x.", "y."), conditions)
    .map(([name, condition]) => condition.replaceAll(/\b([abt])\b(?!')/g, `${name}$1`));
  const ofHome = fc.constantFrom(
    "temp > 20",
    "room = 'Bath'",
    "time > '1970-01-01'",
    "hum is null",
  );
  const parts = [...pattern.matchAll(/%(c0|r|c|j|o)/g)].map(([, part]) => {
    switch (part) {
      case "r":
        return relation;
      case "c":
        return conditions;
      case "j":
        return joins;
      case "o":
        return qualified;
      default:
        return ofHome;
    }
  });
  return fc.tuple(...parts).map((texts) => {
    const rest = [...texts];
    return pattern.replaceAll(/%(c0|r|c|j|o)/g, () => rest.shift() ?? "");
  });
}
