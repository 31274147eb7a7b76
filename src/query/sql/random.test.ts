import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { DbError } from "#base/errors.ts";
import { describeStatement } from "./describe.ts";
import { parseStatement } from "./statement.ts";

/** A piece of SQL and what `describeStatement` says of it. */
interface Piece {
  readonly sql: string;
  readonly tree: string;
}

const NAMES = ["a", "b", "t", "order_by", "Ünï", "x1"];
const OPERATORS = ["+", "-", "*", "/", "%", "||", "=", "!=", "<", ">=", "~", "!~*", "&", "|", "^"];
const TYPES = [
  ["INT", "int32"],
  ["double precision", "float64"],
  ["varchar(3)", "string"],
  ["decimal(5, 2)", "Decimal128(5, 2)"],
  ["timestamp(3)", "Timestamp(ms)"],
  ["smallint unsigned[]", "List(UInt16)"],
] as const;
const JOINS = [
  ["join", "inner"],
  ["left outer join", "left"],
  ["FULL JOIN", "full"],
  ["right anti join", "right_anti"],
] as const;

/** Operations on two expressions, on one: what is written and what is read. */
const PAIRS = [
  ["(@1) is not distinct from (@2)", "(IS NOT DISTINCT FROM @1 @2)"],
  ["(@1) not between (@2) and 2", "(not between @1 @2 2n)"],
  ["(@1) in ((@2), null)", "(in @1 @2 null)"],
  ["(@1) ilike (@2)", "(ilike @1 @2)"],
  ["case when @1 then @2 end", "(case (@1 @2))"],
  ["(@1)[@2]", "(index @1 @2)"],
  ["(@1)[@2:]", "(slice @1 @2 _ _)"],
] as const;
const SINGLES = [
  ["(@1) is not null", "(is not @1 null)"],
  ["not (@1)", "(not @1)"],
  ["{k: @1}", "named_struct('k' @1)"],
  ["(@1) at time zone 'UTC'", "(at_time_zone @1 'UTC')"],
  ["trim(both 'x' from @1)", "btrim(@1 'x')"],
] as const;

const piece = (sql: string, tree = sql): Piece => ({ sql, tree });
const name = fc.constantFrom(...NAMES).map((text) => piece(`"${text}"`, text));
const column = fc.constantFrom("a", "b", "t.c", "iox.t.d").map((text) => piece(text));
const whole = fc.nat(1000).map((value) => piece(String(value), `${value}n`));
const text = fc
  .string({ maxLength: 5 })
  .map((value) => piece(`'${value.replaceAll("'", "''")}'`, `'${value}'`));
const blank = fc.constantFrom(" ", "\n", " /* x /* y */ */ ", " -- z\n");

type Pieces = fc.Arbitrary<Piece>;

function listed(items: readonly Piece[]): Piece {
  return piece(items.map(({ sql }) => sql).join(", "), items.map(({ tree }) => tree).join(" "));
}

function calls(expression: Pieces, list: fc.Arbitrary<readonly Piece[]>): Pieces {
  const plain = fc
    .tuple(name, list, fc.boolean(), fc.option(expression))
    .map(([called, items, distinct, filter]) => {
      const { sql, tree } = listed(items);
      const word = distinct ? "distinct " : "";
      return piece(
        `${called.sql}(${word}${sql})${filter === null ? "" : ` filter (where ${filter.sql})`}`,
        `${called.tree}(${word}${tree})${filter === null ? "" : ` filter ${filter.tree}`}`,
      );
    });
  const windowed = fc
    .tuple(expression, expression, whole)
    .map(([value, key, count]) =>
      piece(
        `f(${value.sql}) over (partition by ${key.sql} order by ${value.sql} desc rows ${count.sql} preceding)`,
        `f(${value.tree}) over (partition ${key.tree} order ${value.tree} desc nulls first rows ${count.tree} preceding to current_row)`,
      ),
    );
  return fc.oneof(plain, windowed);
}

function operations(expression: Pieces): Pieces {
  const pair = fc.tuple(expression, expression);
  const binary = fc
    .tuple(fc.constantFrom(...OPERATORS), pair, blank)
    .map(([operator, [a, b], space]) =>
      piece(`(${a.sql})${space}${operator} (${b.sql})`, `(${operator} ${a.tree} ${b.tree})`),
    );
  const cast = fc
    .tuple(expression, fc.constantFrom(...TYPES))
    .map(([{ sql, tree }, [type, shown]]) => piece(`(${sql})::${type}`, `(cast ${tree} ${shown})`));
  const two = PAIRS.map(([sql, tree]) => pair.map((both) => filled(sql, tree, both)));
  const one = SINGLES.map(([sql, tree]) => expression.map((single) => filled(sql, tree, [single])));
  return fc.oneof(binary, cast, ...two, ...one);
}

/** `@1` and `@2` stand for the parts. */
function filled(sql: string, tree: string, parts: readonly Piece[]): Piece {
  const fill = (template: string, of: (part: Piece) => string) =>
    template.replace(/@(\d)/g, (_, digit: string) => {
      const part = parts[Number(digit) - 1];
      return part === undefined ? "" : of(part);
    });
  return piece(
    fill(sql, (part) => part.sql),
    fill(tree, (part) => part.tree),
  );
}

function tables(query: Pieces, table: Pieces, expression: Pieces): Pieces {
  const subquery = fc
    .tuple(query, name)
    .map(([inner, alias]) => filled("(@1) as @2 (c, d)", "(@1) @2 c d", [inner, alias]));
  const join = fc
    .tuple(fc.constantFrom(...JOINS), table, name, expression)
    .map(([[words, kind], left, right, on]) =>
      filled(`@1 ${words} @2 on @3`, `(${kind} @1 , @2 on @3)`, [left, right, on]),
    );
  return fc.oneof({ depthSize: "small", withCrossShrink: true }, name, subquery, join);
}

function selects(expression: Pieces, table: Pieces, list: fc.Arbitrary<readonly Piece[]>): Pieces {
  const clause = (word: string, pieces: Pieces) =>
    fc
      .option(pieces)
      .map((made) => (made === null ? piece("") : filled(` ${word} @1`, ` ${word} @1`, [made])));
  const groups = list.map((items) =>
    piece(items.map(({ sql }) => `(${sql})`).join(", "), items.map(({ tree }) => tree).join(" | ")),
  );
  const grouped = fc
    .option(groups)
    .map((made) => (made === null ? piece("") : filled(" group by @1", " group @1", [made])));
  return fc
    .tuple(list, clause("from", table), clause("where", expression), grouped)
    .map(([items, ...clauses]) =>
      piece(
        `select ${[listed(items), ...clauses].map(({ sql }) => sql).join("")}`,
        `select ${items.map(({ tree }) => tree).join(" | ")}${clauses.map(({ tree }) => tree).join("")}`,
      ),
    );
}

function queries(select: Pieces, query: Pieces, list: fc.Arbitrary<readonly Piece[]>): Pieces {
  const values = list.map((items) => filled("values (@1)", "values (@1)", [listed(items)]));
  const pair = fc.tuple(query, query);
  const union = fc
    .tuple(fc.constantFrom("union", "union all", "intersect", "except"), pair)
    .map(([word, both]) => filled(`(@1) ${word} (@2)`, `(${word} (@1) | (@2))`, both));
  const named = fc
    .tuple(name, query, query)
    .map((parts) => filled("with @1 as (@2) (@3) limit 1", "with @1 as (@2) (@3) limit 1n", parts));
  return fc.oneof({ depthSize: "small", withCrossShrink: true }, select, values, union, named);
}

const grammar = fc.letrec<{ expression: Piece; query: Piece; table: Piece }>((tie) => {
  const expression = tie("expression");
  const list = fc.array(expression, { minLength: 1, maxLength: 3 });
  const select = selects(expression, tie("table"), list);
  const items = list.map((made) => filled("[@1]", "make_array(@1)", [listed(made)]));
  const subqueries = fc.oneof(
    tie("query").map((query) => filled("exists (@1)", "(exists (@1))", [query])),
    tie("query").map((query) => filled("(@1)", "(@1)", [query])),
  );
  return {
    expression: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      column,
      whole,
      text,
      operations(expression),
      calls(expression, list),
      items,
      subqueries,
    ),
    table: tables(tie("query"), tie("table"), expression),
    query: queries(select, tie("query"), list),
  };
});

suite("SQL of chance", () => {
  test("a statement is read as what it was made from", () => {
    fc.assert(
      fc.property(grammar.query, ({ sql, tree }) => {
        assert.equal(describeStatement(parseStatement(sql)), tree);
      }),
      { numRuns: 500 },
    );
  });

  test("a statement that lost, gained or moved a piece fails as the user's mistake, or is read", () => {
    const edit = fc.record({
      at: fc.nat(1000),
      removed: fc.nat(8),
      added: fc.constantFrom("", "(", ")", "'", "[", ",", " from ", " over (", "::", " union "),
    });
    fc.assert(
      fc.property(grammar.query, edit, ({ sql }, { at, removed, added }) => {
        const start = at % (sql.length + 1);
        try {
          parseStatement(sql.slice(0, start) + added + sql.slice(start + removed));
        } catch (error) {
          assert.ok(error instanceof DbError, String(error));
          assert.ok(["invalid", "unsupported", "exceeded"].includes(error.kind), error.message);
        }
      }),
      { numRuns: 500 },
    );
  });
});
