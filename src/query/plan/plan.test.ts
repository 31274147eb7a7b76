import assert from "node:assert/strict";
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { suite, test } from "node:test";
import { DbError } from "#base/errors.ts";
import type { Plan } from "#model/query/plan.ts";
import { typeName } from "#model/query/type-text.ts";
import { cpuMs } from "#testing/cpu-time.ts";
import { HOME, homeContext } from "#testing/home.ts";
import { parseStatement } from "../sql/statement.ts";
import { describePlan } from "./describe.ts";
import { planStatement } from "./plan.ts";

const context = homeContext();
const SCRIPTS = globSync(join(import.meta.dirname, "testdata/*.txt"));
/** A statement, a line of dashes, and the answer up to an empty line. */
const CASE = /^(?!#)(.+)\n----\n((?:.+\n)*)/gm;

for (const path of SCRIPTS) {
  suite(`plans of ${basename(path)}`, () => {
    const script = readFileSync(path, "utf8");
    const cases = [...script.matchAll(CASE)];
    test("the script has cases", () => assert.ok(cases.length > 10));
    if (process.env["REWRITE"] === "1") {
      const rewritten = script.replace(CASE, (_, sql: string) => `${sql}\n----\n${answer(sql)}`);
      writeFileSync(path, rewritten);
      return;
    }
    for (const [, sql = "", expected] of cases) {
      test(`"${sql}" is planned as agreed`, () => assert.equal(answer(sql), expected));
    }
  });
}

suite("plans", () => {
  test("names like a wrong one are suggested", () => {
    assert.throws(() => planOf("select * from hom"), {
      detail: { table: "public.iox.hom", nearest: "home" },
    });
    assert.throws(() => planOf("select tmp from home"), {
      detail: { column: "tmp", nearest: "temp, time" },
    });
  });

  test("sources are asked for the narrowed time only", () => {
    const asked: unknown[] = [];
    const sources = (table: unknown, time: unknown) => {
      asked.push([table, time]);
      return [];
    };
    const sql =
      "select temp from home where time >= '1970-01-01' and time < '1970-01-02' and temp > 1";
    planStatement(parseStatement(sql), { ...context, sources });
    assert.deepEqual(asked, [[HOME, { start: 0n, end: 86_399_999_999_999n }]]);
  });

  test("a scan names its series key and its columns by id", () => {
    const plan = planOf("select temp, time from home");
    assert.ok(plan.kind === "scan");
    assert.deepEqual(plan.tags, [{ id: 1, kind: "tag" }]);
    assert.deepEqual(plan.columns, [
      { id: 2, kind: "float" },
      { id: 0, kind: "time" },
    ]);
  });

  test("parts that double at every level are counted before they are written out", () => {
    const nested = `${"(".repeat(60)}ok${" between true and false)".repeat(60)}`;
    const error = { kind: "exceeded", code: "sql_too_complex" };
    assert.throws(() => planOf(`select ${nested} from home`), error);
    const small = `${"(".repeat(12)}ok${" between true and false)".repeat(12)}`;
    planOf(`select ${small} from home`);
    assert.throws(
      () => planOf(`select ${small} as a from home order by ${"a, ".repeat(50)}a`),
      error,
    );
    assert.throws(
      () => planOf(`select ${small} as a from home group by ${"1, ".repeat(50)}1`),
      error,
    );
  });

  test("no function of text is worked out while a statement is planned", () => {
    const start = cpuMs();
    const spaces = " ".repeat(300_000);
    for (const condition of [
      `regexp_like('${"a".repeat(36)}b', '^(a+)+$')`,
      `'${"a".repeat(60)}' like '${"%a".repeat(30)}%b'`,
      `trim('a${spaces}b') = 'a'`,
      `'${"1".repeat(300_000)}x'::double = 1`,
    ]) {
      const count = `case when ${condition} then 1 end`;
      for (const sql of [
        `select 1 limit ${count}`,
        `select nth_value(temp, ${count}) over (order by time) from home`,
        `select lag(temp, ${count}) over (order by time) from home`,
        `select lag(temp, length('ab')) over (order by time) from home`,
      ]) {
        assert.throws(() => planOf(sql), { kind: "invalid", code: "sql_planning" });
      }
    }
    planOf("select 1 limit greatest(1 + 1, nullif(3, 4))");
    assert.ok(cpuMs() - start < 1000);
  });

  test("large statements are planned or refused in a moment", () => {
    const start = cpuMs();
    const conditions = Array.from({ length: 4900 }, (_, index) => `temp = ${index}`);
    planOf(`select temp from home where ${conditions.join(" or ")}`);
    const list = Array.from({ length: 10_000 }, (_, index) => `'${index}'`);
    planOf(`select temp from home where room in (${list.join(",")})`);
    assert.throws(() => planOf(`select ${Array(100_000).fill("*").join(",")} from home`));
    assert.throws(() =>
      planOf(`select a from home order by ${Array(150_000).fill("temp").join(",")}`),
    );
    planOf(`select temp from home order by ${Array(9000).fill("temp").join(",")}`);
    assert.ok(cpuMs() - start < 3000);
  });
});

/** The plan and the columns, or the error, of a statement. */
function answer(sql: string): string {
  try {
    const plan = planOf(sql);
    const columns = plan.fields.map(({ name, type }) => `${name} ${typeName(type)}`).join(" | ");
    return `${describePlan(plan)}\n=> ${columns}\n`;
  } catch (error) {
    if (!(error instanceof DbError)) throw error;
    return `${error.kind} ${error.code}: ${error.message.replaceAll("\n", " ")}\n`;
  }
}

function planOf(sql: string): Plan {
  return planStatement(parseStatement(sql), context);
}
