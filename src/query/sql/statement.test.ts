import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { DbError } from "#base/errors.ts";
import { describeStatement } from "./describe.ts";
import { parseStatement } from "./statement.ts";

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
  ["values (1, 'a'), (2, 'b') order by 1 limit 1", "values (1n 'a') (2n 'b') order 1n limit 1n"],
  ["from t", "select * from t"],
  ["select a, b, from t", "select a | b from t"],
  ["select * from (values row(1), row(2)) t", "select * from (values (1n) (2n)) t"],
  ["from t select a where b", "select a from t where b"],
  ["(select 1)", "(select 1n)"],
  [
    "select 1 union all select 2 union select 3",
    "(union (union all select 1n | select 2n) | select 3n)",
  ],
  [
    "select 1 union select 2 intersect select 3",
    "(union select 1n | (intersect select 2n | select 3n))",
  ],
  ["select 1 except all select 2", "(except all select 1n | select 2n)"],
  ["select 1 minus select 2", "(except select 1n | select 2n)"],
  [
    "select 1 union distinct by name select 2 order by 1",
    "(union by name select 1n | select 2n) order 1n",
  ],
  [
    "(select 1 limit 1) union all (values (2)) limit 3",
    "(union all (select 1n limit 1n) | (values (2n))) limit 3n",
  ],
  [
    "with a as (select 1), b (c, d) as not materialized (select 2, 3) select * from a",
    "with a as (select 1n), b c d as (select 2n | 3n) select * from a",
  ],
  [
    "with recursive a as (select 1) select * from a",
    "with recursive a as (select 1n) select * from a",
  ],
  ["select * from a, b c", "select * from a , b c"],
  ["select * from a join b on a.x = b.x", "select * from (inner a , b on (= a.x b.x))"],
  [
    "select * from a x left outer join b as y using (c, d) cross join e",
    "select * from (cross (left a x , b y using c d) , e)",
  ],
  ["select * from a natural full join b", "select * from (natural full a , b)"],
  [
    "select * from a right anti join b on true left semi join c on true",
    "select * from (left_semi (right_anti a , b on true) , c on true)",
  ],
  [
    "select * from a join (b join c using (d)) on true",
    "select * from (inner a , (inner b , c using d) on true)",
  ],
  ["select * from (select 1) as t (a, b)", "select * from (select 1n) t a b"],
  ["select * from (values (1)) t", "select * from (values (1n)) t"],
  ["select * from values (1), (2) as t order by 1", "select * from (values (1n) (2n)) t order 1n"],
  [
    "select * from ((select 1) union (select 2)) t",
    "select * from ((union (select 1n) | (select 2n))) t",
  ],
  [
    "select * from ((select 1) a join b using (c))",
    "select * from (inner (select 1n) a , b using c)",
  ],
  [
    "select * from (((select 1) union select 2) order by 1) a",
    "select * from (((union (select 1n) | select 2n)) order 1n) a",
  ],
  ["select * from (a cross join b) as c (d)", "select * from (select * from (cross a , b)) c d"],
  ["select * from (((a)))", "select * from a"],
  ["select * from a, lateral (select 1) b", "select * from a , lateral (select 1n) b"],
  ["select * from generate_series(1, 5) as t (a)", "select * from generate_series(1n 5n) t a"],
  [
    "select * from a cross join lateral generate_series(1, a.b)",
    "select * from (cross a , lateral generate_series(1n a.b))",
  ],
  [
    "select * from a, unnest(a.b, [1]) as u (c, d)",
    "select * from a , unnest(a.b make_array(1n)) u c d",
  ],
  ["select distinct on (a, b) c from t", "distinct on (a b) c from t"],
  ["select a from t group by all", "select a from t group all"],
  [
    "select a from t group by a, rollup (b, (c, d)), cube (e), ()",
    "select a from t group a | rollup (b) (c d) | cube (e) | sets ()",
  ],
  [
    "select a from t group by grouping sets ((a, b), c, ())",
    "select a from t group sets (a b) (c) ()",
  ],
  [
    "select a from t window w as (partition by b), v as (w order by c), u as w",
    "select a from t window w (partition b), v (base w order c), u (base w)",
  ],
  [
    "select a from t qualify row_number() over w = 1 window w as ()",
    "select a from t window w () qualify (= row_number() over w 1n)",
  ],
  ["select a from t order by all desc", "select a from t order all desc nulls first"],
  ["select a from t limit 1, 2", "select a from t limit 2n offset 1n"],
  ["select a from t offset 1 rows fetch next 2 rows only", "select a from t limit 2n offset 1n"],
  ["select a from t fetch first row only", "select a from t limit 1n"],
  ["explain analyze verbose select 1", "explain analyze verbose select 1n"],
  ["explain format indent values (1)", "explain values (1n)"],
  ["describe iox.t", "describe iox.t"],
  ["desc select 1", "describe select 1n"],
  ["show all", "show_all"],
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
  ["select a,, b", "an expression, found: ,", 1, 10],
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
  ["select X'0g'", "hexadecimal digits, found: X'0g'", 1, 8],
  ["select E'a", "Unterminated encoded string literal", 1, 8],
  ["select $$a", "Unterminated dollar-quoted string", 1, 8],
  ["select a from t natural b", "a join type after NATURAL", 1, 25],
  ["select a[1", ":, found: EOF", 1, 11],
  ["select {a 1}", ":, found: 1", 1, 11],
  ["select a from (select 1", "), found: EOF", 1, 24],
  ["select sum(a) over (rows 1)", "PRECEDING or FOLLOWING, found: )", 1, 27],
  ["select 1 union", "SELECT, found: EOF", 1, 15],
  ["with a as select 1", "(, found: select", 1, 11],
  ["select a from t where a = 1 union all", "SELECT, found: EOF", 1, 38],
  ["select case a end", "WHEN, found: end", 1, 15],
  ["select case when a then b", "END, found: EOF", 1, 26],
  ["select cast(a)", "AS, found: )", 1, 14],
  ["select ::int", "an expression, found: ::", 1, 8],
  ["select a from t limit", "an expression, found: EOF", 1, 22],
  ["select a from t where a = 1 limit 1 limit 2", "end of statement, found: limit", 1, 37],
];

const UNSUPPORTED: readonly (readonly [string, RegExp])[] = [
  ["select 1; select 2", /single SQL statement/],
  ["begin", /BEGIN/],
  ["END", /COMMIT AND END not supported/],
  [
    "ALTER TABLE t ADD COLUMN a INT ; ",
    /Unsupported SQL statement: ALTER TABLE t ADD COLUMN a INT$/,
  ],
  ["select * rename (a as b) from t", /RENAME/],
  ["select * into t from a", /INTO/],
  ["select * from a asof join b", /ASOF/],
  ["select * from unnest([1]) with ordinality", /ORDINALITY/],
  ["select iox.f(1)", /functions of a schema/],
  ["select a from t fetch first 1 row with ties", /TIES/],
  ["select a -> 1 from t", /operator ->/],
  ["select a collate b from t", /COLLATE/],
  ["select a < any ([1])", /only '= ANY' is supported/],
  ["select a like any ('x')", /LIKE ANY/],
  ["select ceil(a to day)", /CEIL with datetime is not supported/],
  ["select a::decimal(50, 2) from t", /38 digits/],
  ["select a::timestamp(4) from t", /TIMESTAMP\(4\)/],
  ["select a::time with time zone from t", /TIME WITH TIME ZONE/],
  ["select a::uuid from t", /Unsupported SQL type UUID/],
  ["select localtime", /LOCALTIME/],
  ["explain format tree select 1", /FORMAT/],
  ["show functions", /SHOW FUNCTIONS/],
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
  ["show nothing", /'nothing' is not a variable/],
  ["explain insert into t values (1)", /DML not supported/],
  ["select a::nonsense from t", /Unsupported SQL type NONSENSE/],
  ["select a::decimal(2, 3) from t", /scale <= precision/],
  ["select a like 'x' escape 'ab' from t", /Invalid escape character/],
];

suite("SQL statements", () => {
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
