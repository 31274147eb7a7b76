import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { DbError } from "#base/errors.ts";
import type { ColumnId, DatabaseId, TableId } from "#model/ids.ts";
import type { ColumnKind, TableSchema } from "#model/schema.ts";
import { checkSelect } from "../check/select.ts";
import { parseInfluxQl } from "../parse/parse.ts";
import type { ResolvedSelect } from "../resolved.ts";
import { resolveSelect } from "./select.ts";

const TABLES = new Map(
  [
    table("cpu", {
      host: "tag",
      region: "tag",
      u: "float",
      i: "integer",
      s: "string",
      b: "boolean",
    }),
    table("mem", { host: "tag", dc: "tag", u: "integer", f: "float" }),
  ].map((each) => [each.name, each]),
);

function table(name: string, columns: Readonly<Record<string, ColumnKind>>): TableSchema {
  const kinds = Object.entries({ time: "time" as ColumnKind, ...columns });
  return {
    id: 1 as TableId,
    databaseId: 1 as DatabaseId,
    name,
    columns: kinds.map(([column, kind], id) => ({ id: id as ColumnId, name: column, kind })),
  };
}

function resolved(text: string, native = false): ResolvedSelect {
  const statement = parseInfluxQl(text)[0]?.statement;
  assert(statement?.kind === "select", text);
  return resolveSelect(checkSelect(statement, 100_000_000_000n), {
    native,
    tables: ({ name }) => {
      const found = name.kind === "name" ? TABLES.get(name.name) : undefined;
      return { database: "db", tables: found === undefined ? [] : [found] };
    },
  });
}

/** What a statement answers, and the types it is taken for. */
const COLUMNS: readonly (readonly [text: string, columns: string])[] = [
  ["SELECT * FROM cpu", "b::boolean host::tag i::integer region::tag s::string u::float"],
  ["SELECT * FROM cpu GROUP BY host", "b::boolean i::integer region::tag s::string u::float"],
  ["SELECT * FROM cpu GROUP BY /ho/", "b::boolean i::integer s::string u::float"],
  ["SELECT *::tag, /^u|ost$/ FROM cpu", "host::tag region::tag host_1::tag u::float"],
  ["SELECT u FROM cpu, mem", "u::float"],
  ["SELECT mean(*) FROM cpu, mem", "mean_f::float mean_i::float mean_u::float"],
  ["SELECT first(*) FROM cpu", "first_b::boolean first_i::integer first_s::string first_u::float"],
  ["SELECT max(*) FROM cpu", "max_b::boolean max_i::integer max_u::float"],
  ["SELECT derivative(max(/i|s/), 1s) FROM cpu GROUP BY time(1m)", "derivative_i::float"],
  [
    "SELECT mean(u), mean(i), mean(u) AS mean_1 FROM cpu",
    "mean::float mean_2::float mean_1::float",
  ],
  ["SELECT u, u AS u_1, u FROM cpu", "u::float u_1::float u_2::float"],
  [
    "SELECT u + i, i / i, i & 1, b & true FROM cpu",
    "u_i::float i_i::integer i::integer b::boolean",
  ],
  ["SELECT u + abs(-1), sqrt(i) FROM cpu", "u::float sqrt::integer"],
  ["SELECT u::integer, i::float, host::field, nope FROM cpu", "u::integer i::float host nope"],
  ["SELECT top(u, host, i, 2), s FROM cpu", "top::float host::tag i::integer s::string"],
  ["SELECT DISTINCT u FROM cpu", "distinct::float"],
  ["SELECT count(host), count(s) FROM cpu", "count::integer count_1::integer"],
  [
    "SELECT * FROM (SELECT mean(u), max(i) FROM cpu GROUP BY region)",
    "max::integer mean::float region::tag",
  ],
  ["SELECT count(host), first(host) FROM (SELECT u, host FROM cpu)", "count::integer first::tag"],
  ["SELECT host FROM (SELECT top(u, host, 2) FROM cpu)", "host::tag"],
];

for (const [text, columns] of COLUMNS)
  test(`${text} answers ${columns}`, () => {
    const { outputs } = resolved(text);
    const found = outputs.map(({ name, type }) => (type === undefined ? name : `${name}::${type}`));
    assert.equal(found.join(" "), columns);
  });

const REFUSED: readonly (readonly [text: string, error: string])[] = [
  ["SELECT s + 1 FROM cpu", "type error: s::string + 1: incompatible types: string and integer"],
  [
    "SELECT host + u FROM cpu",
    "type error: host::tag + u::float: incompatible types: tag and float",
  ],
  ["SELECT u & 1 FROM cpu", "type error: u::float & 1: incompatible types: float and integer"],
  ["SELECT mean(s) FROM cpu", "unsupported mean iterator type: *query.stringInterruptIterator"],
  ["SELECT mean(b) FROM cpu", "unsupported mean iterator type: *query.booleanInterruptIterator"],
  [
    "SELECT top(s, host, 2) FROM cpu",
    "unsupported max iterator type: *query.stringInterruptIterator",
  ],
  ["SELECT mean(*::tag) FROM cpu", "unable to use tag wildcard in mean()"],
];

for (const [text, message] of REFUSED)
  test(`${text} is refused`, () => {
    assert.throws(() => resolved(text), new DbError("invalid", "influxql_refused", message));
  });

test("operands that do not go together are missing in a subquery", () => {
  const [source] = resolved("SELECT x, u FROM (SELECT u + s AS x, u FROM cpu)").sources;
  assert(source?.kind === "subquery");
  assert.deepEqual([...source.types], [["u", "float"]]);
  assert.deepEqual(source.select.outputs[0], {
    name: "x",
    expression: { kind: "null" },
    type: undefined,
  });
});

test("a subquery is grouped as the statements around it, too, and takes over their window and order", () => {
  const text =
    "SELECT sum(x) FROM (SELECT max(u) AS x FROM cpu WHERE time < 9s GROUP BY region) WHERE time > 1s GROUP BY time(1s), host ORDER BY time DESC";
  const outer = resolved(text);
  const [source] = outer.sources;
  assert(source?.kind === "subquery");
  const { select } = source;
  assert.deepEqual(outer.dimensions, ["host"]);
  assert.deepEqual(select.dimensions, ["host", "region"]);
  assert.deepEqual(select.window, outer.window);
  assert.deepEqual(select.fill, { kind: "none" });
  assert.deepEqual(select.time, { start: 1_000_000_001n, end: 8_999_999_999n });
  assert(select.descending && select.startsAt);
});

/** How many fields in WHERE are taken by their whole part. */
function wholeParts({ sources: [source] }: ResolvedSelect): number {
  assert(source?.kind === "table");
  return inspect(source.condition, { depth: null }).split("cast: 'integer'").length - 1;
}

test("as InfluxDB 3 takes them, DESC leaves series in their order, and bits are those of whole parts", () => {
  const text = "SELECT u FROM cpu WHERE (u & 1 = 1 OR i | u > 2) AND u > 0 ORDER BY time DESC";
  const [old, native] = [resolved(text), resolved(text, true)];
  assert(old.descending && old.seriesDescending && native.descending);
  assert.equal(native.seriesDescending, false);
  assert.deepEqual([wholeParts(old), wholeParts(native)], [0, 2]);
});

function namesOf({ outputs }: ResolvedSelect): string {
  return outputs.map(({ name }) => name).join(" ");
}

test("as InfluxDB 3 names columns, each name is there once, and a tag of GROUP BY that is selected is one of them", () => {
  const text = "SELECT u AS a, i AS a, u AS time FROM cpu GROUP BY host";
  assert.equal(namesOf(resolved(text)), "a a time");
  assert.equal(namesOf(resolved(text, true)), "a a_1 time_1");
  assert.equal(namesOf(resolved("SELECT u AS host FROM cpu GROUP BY host", true)), "host_1");
  for (const [fields, names] of [
    ["u, host", "u host"],
    ["first(u), host", "first host"],
    ["u, region AS host", "u host_1"],
    ["u, region AS host, host", "u host_1 host_1_1"],
    ["u, region AS host, host AS host", "u host_1 host"],
    ["u, host AS x", "u x"],
    ["u, host AS region, region AS r", "u region r"],
  ])
    assert.equal(namesOf(resolved(`SELECT ${fields} FROM cpu GROUP BY host`, true)), names);
});

test("as InfluxDB 3 fills, rows as they are stay so", () => {
  const text = "SELECT u, i FROM cpu FILL(7)";
  assert.deepEqual([resolved(text).fill.kind, resolved(text, true).fill.kind], ["number", "none"]);
});

test("nothing is read where nothing can be answered", () => {
  for (const text of [
    "SELECT nope FROM cpu",
    "SELECT u FROM missing",
    "SELECT mean(host) FROM cpu",
    "SELECT difference(host) FROM cpu",
    "SELECT mean(s::string) FROM missing",
    "SELECT u FROM cpu WHERE time > 5 AND time < 3",
    "SELECT x FROM (SELECT nope AS x FROM cpu)",
  ])
    assert.deepEqual(resolved(text).sources, [], text);
});

test("each input is there once", () => {
  const { inputs } = resolved("SELECT mean(u), mean(u) + max(i), max(i) FROM cpu");
  assert.equal(inputs.length, 2);
});
