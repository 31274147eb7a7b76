import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { DbError } from "#base/errors.ts";
import { describeItem, describeStatement } from "./describe.ts";
import { parseStatement } from "./statement.ts";

/** A select item and its tree, operators in front. */
const EXPRESSIONS: readonly (readonly [string, string])[] = [
  ["a", "a"],
  ["A", "a"],
  ['"A"', "A"],
  ['"a ""b"""', 'a "b"'],
  ["`A b`", "A b"],
  ["t.a", "t.a"],
  ['"T"."C"', "T.C"],
  ["public.iox.t.a", "public.iox.t.a"],
  ["über", "über"],
  ["1", "1n"],
  ["18446744073709551615", "18446744073709551615n"],
  ["18446744073709551616", "18446744073709552000"],
  ["1.5", "1.5"],
  [".5", "0.5"],
  ["1.", "1"],
  ["1e3", "1000"],
  ["2.5E-3", "0.0025"],
  ["'it''s'", "'it's'"],
  ["''", "''"],
  ["TRUE", "true"],
  ["null", "null"],
  ["$name", "$name"],
  ["-1", "(negate 1n)"],
  ["- -1", "(negate (negate 1n))"],
  ["+a", "a"],
  ["a + b * c", "(+ a (* b c))"],
  ["(a + b) * c", "(* (+ a b) c)"],
  ["a - b - c", "(- (- a b) c)"],
  ["a % 2 / 3", "(/ (% a 2n) 3n)"],
  ["-a * b", "(* (negate a) b)"],
  ["-a::int", "(negate (cast a int64))"],
  ["a || 'x' = b", "(= (|| a 'x') b)"],
  ["a = b or c <> d and not e", "(or (= a b) (and (!= c d) (not e)))"],
  ["a and b and c", "(and a b c)"],
  ["a and (b and c)", "(and a (and b c))"],
  ["not a = b", "(not (= a b))"],
  ["not a and b", "(and (not a) b)"],
  ["a is null", "(is a null)"],
  ["a is not null and b", "(and (is not a null) b)"],
  ["a is true", "(is a true)"],
  ["a is not unknown", "(is not a unknown)"],
  ["a is distinct from b", "(IS DISTINCT FROM a b)"],
  ["a is not distinct from b + 1", "(IS NOT DISTINCT FROM a (+ b 1n))"],
  ["a <=> b", "(IS NOT DISTINCT FROM a b)"],
  ["a between 1 and 2 and b", "(and (between a 1n 2n) b)"],
  ["a not between 1 + 1 and 2", "(not between a (+ 1n 1n) 2n)"],
  ["a in (1, 2)", "(in a 1n 2n)"],
  ["a not in ('x')", "(not in a 'x')"],
  ["a like 'x%' or b", "(or (like a 'x%') b)"],
  ["a not ilike 'x' || '%'", "(not ilike a (|| 'x' '%'))"],
  ["a like 'x' escape '\\'", "(like a 'x')"],
  ["a ~ 'x' and b !~* 'y'", "(and (~ a 'x') (!~* b 'y'))"],
  ["a ~* 'x'", "(~* a 'x')"],
  ["a !~ 'x'", "(!~ a 'x')"],
  ["case when a then 1 else 2 end", "(case (a 1n) 2n)"],
  ["case a when 1 then 'x' when 2 then 'y' end", "(case a (1n 'x') (2n 'y'))"],
  ["cast(a as double precision)", "(cast a float64)"],
  ["try_cast(a as bigint unsigned)", "(try_cast a uint64)"],
  ["a::varchar(10)::timestamp(9)", "(cast (cast a string) timestamp)"],
  ["a::timestamp without time zone", "(cast a timestamp)"],
  ["timestamp '2020-01-01'", "(cast '2020-01-01' timestamp)"],
  ["timestamp", "timestamp"],
  ["interval '1 day 2 hours'", "{0 93600000000000}"],
  ["interval '5' month", "{5 0}"],
  ["interval 2 week", "{0 1209600000000000}"],
  ["interval", "interval"],
  ["interval '1 day' hour", "{0 86400000000000} as hour"],
  ["count(*)", "count(*)"],
  ["COUNT(distinct a)", "count(distinct a)"],
  ["sum(all a)", "sum(a)"],
  ["now()", "now()"],
  ["current_timestamp", "current_timestamp()"],
  ["left(a, 2)", "left(a 2n)"],
  ["sum(a) filter (where b > 1)", "sum(a) filter (> b 1n)"],
  [
    "first_value(a order by b desc, c nulls first)",
    "first_value(a order b desc nulls first, c nulls first)",
  ],
  ["extract(hour from time)", "date_part('hour' time)"],
  ['extract("hour" from time)', "date_part('hour' time)"],
  ["position('a' in b)", "strpos(b 'a')"],
  ["substring(a from 2 for 3)", "substr(a 2n 3n)"],
  ["substring(a for 3)", "substr(a 1n 3n)"],
  ["substr(a, 2)", "substr(a 2n)"],
  ["trim(a)", "trim(a)"],
  ["a b", "a as b"],
  ['a as "B c"', "a as B c"],
  ["a as 'b c'", "a as b c"],
  ["*", "*"],
  ["t.*", "t.*"],
  ['iox."T".*', "iox.T.*"],
  ["a /* x /* y */ z */ + -- comment\n 1", "(+ a 1n)"],
];

/** Statements and their clauses. */
const STATEMENTS: readonly (readonly [string, string])[] = [
  ["select 1", "select 1n"],
  ["SELECT 1;", "select 1n"],
  ["select 1 ; ; ", "select 1n"],
  ["select distinct a, b from t", "distinct a | b from t"],
  ["select all a from t", "select a from t"],
  ["select a from iox.home as h", "select a from iox.home h"],
  ["select a from public.iox.home h where b", "select a from public.iox.home h where b"],
  ['select a from "My Table"', "select a from My Table"],
  [
    "select a from t where b > 1 group by a, 2 having count(*) > 1 order by a desc, 2 nulls first limit 5 offset 2",
    "select a from t where (> b 1n) group a | 2n having (> count(*) 1n) order a desc nulls first | 2n nulls first limit 5n offset 2n",
  ],
  ["select a from t order by a asc nulls last", "select a from t order a"],
  ["select a from t offset 2 rows limit 1", "select a from t limit 1n offset 2n"],
  ["select a from t limit all", "select a from t limit null"],
  ["show tables", "show_tables"],
  ["show columns from iox.t;", "show_columns iox.t"],
  ["show columns in t", "show_columns t"],
];

const SYNTAX_ERRORS: readonly (readonly [string, string, number, number])[] = [
  ["", "an SQL statement", 1, 1],
  ["FOO bar", "an SQL statement, found: FOO", 1, 1],
  ["\n  FOO bar", "an SQL statement, found: FOO", 2, 3],
  ["ünï", "an SQL statement, found: ünï", 1, 1],
  ["123abc", "an SQL statement, found: 123 ", 1, 1],
  ["$a", "an SQL statement, found: $a", 1, 1],
  ["update;", "identifier, found: ;", 1, 7],
  ["set", "identifier, found: EOF", 1, 4],
  ["explain", "an SQL statement, found: EOF", 1, 8],
  ["values", "(, found: EOF", 1, 7],
  ["select", "an expression, found: EOF", 1, 7],
  ["select from t", "an expression, found: from", 1, 8],
  ["select a,", "an expression, found: EOF", 1, 10],
  ["select a from", "identifier, found: EOF", 1, 14],
  ["select a from t where", "an expression, found: EOF", 1, 22],
  ["select a from t group a", "BY, found: a", 1, 23],
  ["select a from t b c", "end of statement, found: c", 1, 19],
  ["select (a", "), found: EOF", 1, 10],
  ["select a b c", "end of statement, found: c", 1, 12],
  ["select 'abc", "Unterminated string literal", 1, 8],
  ['select "abc', "Unterminated name", 1, 8],
  ["select /* abc", "Unterminated comment", 1, 8],
  ["select '☃☃', §", "an SQL token, found: §", 1, 14],
  ["select 1 😀", "an SQL token, found: 😀", 1, 10],
  ["select 1e999", "a number that a float can hold", 1, 8],
  ["select interval '1 lightyear'", "an interval", 1, 17],
  ["select a in ()", "an expression, found: )", 1, 14],
  ["select a not 1", "after NOT, found: 1", 1, 14],
  ["select a is 1", "after IS, found: 1", 1, 13],
  ["select case a end", "WHEN, found: end", 1, 15],
  ["select case when a then b", "END, found: EOF", 1, 26],
  ["select cast(a)", "AS, found: )", 1, 14],
  ["select ::int", "an expression, found: ::", 1, 8],
  ["select a from t limit", "an expression, found: EOF", 1, 22],
  ["select a from t where a = 1 limit 1 limit 2", "end of statement, found: limit", 1, 37],
];

const UNSUPPORTED: readonly (readonly [string, RegExp])[] = [
  ["select 1; select 2", /single SQL statement/],
  ["with a as (select 1) select * from a", /WITH/],
  ["(select 1)", /parentheses/],
  ["explain select 1", /EXPLAIN/],
  ["describe t", /DESCRIBE/],
  ["values (1)", /VALUES/],
  ["begin", /BEGIN/],
  ["END", /COMMIT AND END not supported/],
  ["alter table t add column a int", /ALTER/],
  ["select 1 union select 2", /UNION/],
  ["select * from a, b", /joins/],
  ["select * from a join b on a.x = b.x", /joins/],
  ["select * from a left join b on true", /joins/],
  ["select * from (select 1)", /subqueries/],
  ["select * from last_cache('t')", /table functions/],
  ["select (select 1)", /subqueries/],
  ["select a in (select 1) from t", /subqueries/],
  ["select exists (select 1)", /subqueries/],
  ["select sum(a) over (partition by b) from t", /window/],
  ["select a from t window w as ()", /window/],
  ["select distinct on (a) a from t", /DISTINCT ON/],
  ["select * except (a) from t", /EXCEPT/],
  ["select a from t group by rollup (a)", /ROLLUP/],
  ["select a from t group by grouping sets ((a))", /GROUPING SETS/],
  ["select a from t group by all", /GROUP BY ALL/],
  ["select a from t fetch first 1 row only", /FETCH/],
  ["select a[1] from t", /operator \[/],
  ["select [1, 2]", /arrays/],
  ["select map {'a': 1}", /operator {/],
  ["select a & 1 from t", /operator &/],
  ["select a at time zone 'UTC' from t", /AT TIME ZONE/],
  ["select a similar to 'x' from t", /SIMILAR TO/],
  ["select a like 'x' escape '!' from t", /ESCAPE/],
  ["select date '2020-01-01'", /type DATE/],
  ["select a::decimal(1, 2) from t", /type DECIMAL/],
  ["select a::timestamp(3) from t", /TIMESTAMP\(3\)/],
  ["select a::timestamp with time zone from t", /TIMESTAMP WITH TIME ZONE/],
  ["select current_date", /CURRENT_DATE/],
  ["select trim(both 'x' from a) from t", /TRIM/],
  ["select approx(0.5) within group (order by a) from t", /WITHIN GROUP/],
  ["select lag(a) ignore nulls from t", /IGNORE NULLS/],
];

const REFUSED: readonly (readonly [string, RegExp])[] = [
  ["insert into t values (1)", /DML not supported/],
  ["delete from t", /DML not supported/],
  ["create table t (a int)", /DDL not supported: CreateMemoryTable/],
  ["rollback", /TransactionEnd/],
  ["drop table t", /DDL not supported/],
  ["copy t to 'x'", /DML not supported/],
  ["set a = 1", /Statement not supported: SetVariable/],
  ["show", /not a variable/],
  ["select a::uuid from t", /Unsupported SQL type UUID/],
];

suite("SQL statements", () => {
  for (const [sql, expected] of EXPRESSIONS) {
    test(`${sql} is read as ${expected}`, () => {
      const statement = parseStatement(`select ${sql}`);
      assert.ok(statement.kind === "query" && statement.body.kind === "select");
      assert.equal(statement.body.items.map(describeItem).join(" | "), expected);
    });
  }

  for (const [sql, expected] of STATEMENTS) {
    test(`the clauses of "${sql}" are told apart`, () => {
      assert.equal(describeStatement(parseStatement(sql)), expected);
    });
  }

  for (const [sql, message, line, column] of SYNTAX_ERRORS) {
    test(`"${sql}" is refused at line ${line}, column ${column}`, () => {
      const error = refusal(sql);
      assert.equal(error.kind, "invalid");
      assert.equal(error.code, "sql_syntax");
      assert.ok(error.message.includes(message), error.message);
      assert.deepEqual([error.detail["line"], error.detail["column"]], [line, column]);
    });
  }

  for (const [sql, construct] of UNSUPPORTED) {
    test(`"${sql}" is known and not built`, () => {
      const error = refusal(sql);
      assert.equal(error.kind, "unsupported");
      assert.equal(error.code, "sql_unsupported");
      assert.match(error.message, construct);
    });
  }

  for (const [sql, message] of REFUSED) {
    test(`"${sql}" is refused by name`, () => {
      const error = refusal(sql);
      assert.equal(error.kind, "invalid");
      assert.equal(error.code, "sql_planning");
      assert.match(error.message, message);
    });
  }

  test("a statement in error texts is cut", () => {
    const error = refusal("x".repeat(100_000));
    assert.ok(error.message.length < 500);
  });
});

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
