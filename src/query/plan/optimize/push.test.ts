import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { DbError } from "#base/errors.ts";
import { scansOf } from "#model/query/walk.ts";
import { homeContext } from "#testing/home.ts";
import { parseStatement } from "../../sql/statement.ts";
import { planStatement } from "../plan.ts";
import { nodeCount, sizeOfPlan } from "../tree.ts";

const DEPTH = 30;
const INPUT_COUNT = 10;
const context = homeContext();

const planOf = (sql: string) => planStatement(parseStatement(sql), context);

suite("conditions that are put further down", () => {
  for (const [name, condition] of [
    ["conditions", "a > 0"],
    ["subqueries", "exists (select 1 from home where temp > t.a)"],
  ]) {
    test(`${name} stay above where they would double at every level`, () => {
      let below = "select temp as a from home";
      for (let level = 0; level < DEPTH; level += 1) below = `select a + a as a from (${below})`;
      const plan = planOf(`select * from (${below}) t where ${condition}`);
      assert.ok(sizeOfPlan(plan) < 20_000, String(sizeOfPlan(plan)));
    });
  }

  test("stay above in a chain of WITH", () => {
    const tables = Array.from(
      { length: DEPTH },
      (_, level) => `t${level + 1} as (select a + a as a from t${level})`,
    );
    const plan = planOf(
      `with t0 as (select temp as a from home), ${tables.join(", ")} select * from t${DEPTH} where a > 0`,
    );
    assert.ok(sizeOfPlan(plan) < 20_000, String(sizeOfPlan(plan)));
  });

  test("are not copied into each input of a union with their subqueries", () => {
    const inputs = Array.from({ length: INPUT_COUNT }, () => "select temp as x from home");
    let sql = "select 1.0 as x";
    for (let level = 0; level < 9; level += 1)
      sql = `select x from (${inputs.join(" union all ")}) t where x in (${sql})`;
    const plan = planOf(sql);
    assert.ok(nodeCount(plan) < 1_000, String(nodeCount(plan)));
  });

  test("go into each input of a union, and far through long lists", () => {
    const list = Array.from({ length: 5_000 }, (_, index) => index).join(",");
    const scans = scansOf(
      planOf(`select * from (select time as t from home union all select time from home)
        where t > '2020-01-01' and t < '2021-01-01'`),
    );
    assert.equal(scans.length, 2);
    for (const { time } of scans)
      assert.equal(time.end, BigInt(Date.UTC(2021, 0, 1)) * 1_000_000n - 1n);
    const [scan] = scansOf(
      planOf(`select * from (select room as r from home) where r in (${list})`),
    );
    assert.notEqual(scan?.predicate, undefined);
  });

  test("count for the statement as a whole", () => {
    const sum = Array.from({ length: 150 }, () => "temp").join(" + ");
    const item = `(${Array.from({ length: 20 }, () => `(${sum})`).join(" + ")})`;
    const statement = (count: number) => {
      const uses = Array.from({ length: count }, () => "select * from t");
      return `with t as (select ${item} as a from home) ${uses.join(" union all ")}`;
    };
    assert.ok(sizeOfPlan(planOf(statement(2))) > 10_000);
    assert.throws(
      () => planOf(statement(40)),
      (error) => error instanceof DbError && error.code === "sql_too_complex",
    );
  });
});
