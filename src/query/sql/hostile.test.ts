import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { DbError } from "#base/errors.ts";
import { cpuMs } from "#testing/cpu-time.ts";
import { SQL_PART_COUNT_MAX } from "./cursor.ts";
import { IN_LIST_COUNT_MAX } from "./expression/expression.ts";
import { parseStatement, SQL_LENGTH_MAX } from "./statement.ts";
import { VALUES_COUNT_MAX } from "./values.ts";

const SAMPLES = [
  "select a, b from t where c > 1 group by a, 2 having count(*) > 1 order by a desc, 2 nulls first limit 5 offset 2",
  "select t.*, \"A b\", case a when 1 then 'x''y' else -2.5e3 end from public.iox.home as t /* x /* y */ z */ -- end\n",
  'select cast(a as bigint unsigned), b::varchar(10), try_cast(c as double precision) z from "T" where $p <=> a',
  "select sum(distinct a) filter (where b in (1, 2) and not c like 'x%' escape '\\') from t where a between 1 and 2",
  "select date_bin(interval '1 day 2 hours', time), extract(hour from time), interval 5 month, timestamp '2020-01-01'",
  "select first_value(a order by b desc nulls last), position('a' in b), substring(a from 2 for 3) from t offset 2 rows",
  "select a is not distinct from b, a !~* 'x', a || b, count(*) from system.nodes where a is not true; ",
  "show columns from iox.t;",
  "with recursive a (b) as (select 1 union all select b + 1 from a) select * exclude (c) from a x (y) natural join b",
  "select sum(a) over (w partition by b order by c rows between 1 preceding and unbounded following) from t window w as ()",
  "select a[1:2], {x: [1]}, map {'a': 1}, E'\\n\\x41', X'00', $$a$$, a at time zone 'UTC' from unnest([1]) u qualify b",
  "select a from t left semi join (values (1, 2)) v (x, y) using (x), lateral (select 1) group by grouping sets ((a), ())",
  "select a::decimal(5, 2)[], b::struct<x int, y array<int>>, trim(both 'x' from a), overlay(a placing b from 1 for 2)",
  "explain analyze (select a in (select 1), not exists (select 2), a = any (select 3) limit 1, 2) order by all",
];

suite("hostile SQL", () => {
  const deep: readonly (readonly [string, string])[] = [
    ["parentheses", "(".repeat(200_000)],
    ["closed parentheses", `${"(".repeat(200_000)}1${")".repeat(200_000)}`],
    ["signs", "- ".repeat(200_000)],
    ["negations", "not ".repeat(200_000)],
    ["calls", "f(".repeat(200_000)],
    ["CASE", "case when ".repeat(50_000)],
    ["casts", `1${"::int".repeat(100_000)}`],
    ["sums", `1${" + 1".repeat(9000)}`],
    ["queries", "(select ".repeat(100_000)],
    ["queries in FROM", `* from ${"(select * from ".repeat(50_000)}`],
    ["joins in parentheses", `* from ${"(".repeat(200_000)}`],
    ["joins", `* from a${" join a on b".repeat(3000)}`],
    ["unions", `1${" union select 1".repeat(3000)}`],
    ["common tables", `1 union (${"with a as (".repeat(50_000)}`],
    ["lists", "[".repeat(200_000)],
    ["structs", "{a: ".repeat(100_000)],
    ["indexes", `a${"[1]".repeat(9000)}`],
    ["windows", "f() over (order by ".repeat(20_000)],
    ["types", `a::${"array<".repeat(100_000)}`],
    ["list types", `a::int${"[]".repeat(100_000)}`],
    ["a sum in a sum in a sum", sumIn(sumIn(sumIn("1")))],
  ];
  for (const [name, nested] of deep) {
    test(`${name} without end are too deep, not a stack overflow`, () => {
      const error = refusal(`select ${nested}`);
      assert.equal(error.kind, "exceeded");
      assert.equal(error.code, "sql_too_deep");
    });
  }

  test("long conditions are not deep", () => {
    parseStatement(`select 1 where ${Array(4999).fill("a = 1").join(" or ")}`);
    parseStatement(`select ${"(".repeat(150)}1${")".repeat(150)}`);
  });

  test("length and IN lists are bounded", () => {
    assert.equal(refusal(`select '${"x".repeat(SQL_LENGTH_MAX)}'`).code, "sql_too_long");
    parseStatement(listOf(IN_LIST_COUNT_MAX));
    assert.equal(refusal(listOf(IN_LIST_COUNT_MAX + 1)).code, "sql_in_list");
    const row = `(1${", 2".repeat(999)})`;
    parseStatement(`values ${row}${`, ${row}`.repeat(VALUES_COUNT_MAX / 1000 - 1)}`);
    assert.equal(
      refusal(`values ${row}${`, ${row}`.repeat(VALUES_COUNT_MAX / 1000)}`).code,
      "sql_too_complex",
    );
  });

  const wide: readonly (readonly [string, (count: number) => string])[] = [
    ["conditions", (count) => `select 1 where a${" and a".repeat(count)}`],
    ["branches", (count) => `select case ${"when a then b ".repeat(count / 2)} end`],
    ["columns", (count) => `select a${", a".repeat(count)}`],
    ["wildcards", (count) => `select *${", *".repeat(count)}`],
    ["arguments", (count) => `select concat(a${", a".repeat(count)})`],
    [
      "sums in a list",
      (count) => `select a in (1 + 1${", 1".repeat(9)}${", b + 1".repeat(count / 2)})`,
    ],
    ["tables", (count) => `select 1 from a${", a".repeat(count)}`],
    ["values", (count) => `values (a${", a".repeat(count)})`],
    ["order keys", (count) => `select a from t order by a${", a".repeat(count)}`],
  ];
  for (const [name, statement] of wide) {
    test(`more ${name} than a statement may hold are refused, almost as many are read`, () => {
      parseStatement(statement(SQL_PART_COUNT_MAX - 10));
      const error = refusal(statement(SQL_PART_COUNT_MAX + 10));
      assert.equal(error.kind, "exceeded");
      assert.equal(error.code, "sql_too_complex");
    });
  }

  const long: readonly (readonly [string, string])[] = [
    ["one string", `select '${"x".repeat(SQL_LENGTH_MAX - 20)}'`],
    ["quotes", `select '${"''".repeat(SQL_LENGTH_MAX / 2 - 20)}'`],
    ["one name", `select ${"x".repeat(SQL_LENGTH_MAX - 20)}`],
    ["digits", `select ${"1".repeat(SQL_LENGTH_MAX - 20)}.5`],
    ["blanks", `select ${" ".repeat(SQL_LENGTH_MAX - 20)} 1`],
    [
      "comments",
      `select ${"/*".repeat(SQL_LENGTH_MAX / 4)}${"*/".repeat(SQL_LENGTH_MAX / 4 - 10)}`,
    ],
    ["columns", `select ${"a,".repeat(SQL_LENGTH_MAX / 2 - 20)}a`],
    ["semicolons", `select 1${";".repeat(SQL_LENGTH_MAX - 20)}`],
    ["path", `select a${".a".repeat(SQL_LENGTH_MAX / 2 - 20)}`],
    ["interval", `select interval '${"1 day ".repeat(SQL_LENGTH_MAX / 6 - 20)}'`],
    ["conditions", `select 1 where a${" and a".repeat(SQL_LENGTH_MAX / 6 - 20)}`],
  ];
  for (const [name, sql] of long) {
    test(`a statement of 1 MiB of ${name} is read or refused in a moment`, () => {
      const start = cpuMs();
      attempt(sql);
      assert.ok(cpuMs() - start < 3000);
    });
  }

  test("no truncation of a statement fails in another way than it should", () => {
    for (const sql of SAMPLES) {
      for (let length = 0; length < sql.length; length++) attempt(sql.slice(0, length));
    }
  });

  test("no change of a statement fails in another way than it should", () => {
    const pieces = [
      "'",
      '"',
      "(",
      ")",
      ",",
      "*",
      "/*",
      "--",
      "$",
      "::",
      ".",
      "\u0000",
      "😀",
      " not ",
      " from ",
      "1e9",
      "select ",
    ];
    const edit = fc.record({
      sample: fc.constantFrom(...SAMPLES),
      at: fc.nat(2000),
      removed: fc.nat(6),
      piece: fc.constantFrom("", ...pieces),
    });
    fc.assert(
      fc.property(edit, ({ sample, at, removed, piece }) => {
        const start = at % (sample.length + 1);
        attempt(sample.slice(0, start) + piece + sample.slice(start + removed));
      }),
      { numRuns: 3000 },
    );
  });

  test("no text fails in another way than it should", () => {
    const anything = fc.string({ unit: "binary" });
    fc.assert(
      fc.property(anything, (written) => {
        attempt(`select ${written}`);
      }),
    );
  });
});

function listOf(count: number): string {
  return `select a in (${Array(count).fill("1").join(",")})`;
}

function sumIn(inner: string): string {
  return `(${inner})${" + 1".repeat(180)}`;
}

/** The error of a statement that must have one. */
function refusal(sql: string): DbError {
  const error = attempt(sql);
  assert.ok(error, "the statement was read");
  return error;
}

/** Parses; answers the error, which must be one of a user's. */
function attempt(sql: string): DbError | undefined {
  try {
    parseStatement(sql);
    return undefined;
  } catch (error) {
    assert.ok(error instanceof DbError, String(error));
    assert.ok(["invalid", "unsupported", "exceeded"].includes(error.kind), error.message);
    return error;
  }
}
