import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { fromUtf8 } from "#base/bytes.ts";
import type { DuckDbEngine } from "#engine/duckdb/duckdb-engine.ts";
import { openTestEngine } from "#engine/duckdb/test-engine.ts";
import { homeContext } from "#testing/home.ts";
import { encodeResult } from "../result/result.ts";
import { parseStatement } from "../sql/statement.ts";
import { planStatement } from "./plan.ts";

/** Expressions and the JSON they answer. */
const VALUES: readonly (readonly [string, string])[] = [
  ["[1, 2.5, NULL]", "[1.0,2.5,null]"],
  ["[1, '2', NULL]", "[1,2,null]"],
  ["[[1], NULL, ['2', 3]]", "[[1],null,[2,3]]"],
  ["make_array()", "[]"],
  ["[NULL]", "[null]"],
  ["array_append([1, 2], 3)", "[1,2,3]"],
  ["array_append([], 4)", "[4]"],
  ["list_append(NULL, 1)", "[1]"],
  ["array_append([1], 2.5)", "[1.0,2.5]"],
  ["array_push_front(NULL, [1, 2])", "[null,1,2]"],
  ["array_prepend([1], [[2]])", "[[1],[2]]"],
  ["array_concat([1], NULL, [2, NULL])", "[1,2,null]"],
  ["array_concat([1], [[2]], [[[3]]])", "[[[1]],[[2]],[[3]]]"],
  ["array_concat(NULL)", ""],
  ["[1] || [2] || 3", "[1,2,3]"],
  ["0 || [1]", "[0,1]"],
  ["[1, 2, 3] @> [3, 1]", "true"],
  ["[1, 4] <@ [1, 2, 3]", "false"],
  ["[1, 2, 3][-1]", "3"],
  ["[1, 2, 3][2:]", "[2,3]"],
  ["[1, 2, 3][:2]", "[1,2]"],
  ["[1, 2, 3, 4][1:4:2]", "[1,3]"],
  ["{'a': 1, 'b': [2]}['b'][1]", "2"],
  ["struct(1, 2 AS b, 3 AS 'c d')['b']", "2"],
  ["MAP {'a': 1, 'b': NULL}['a']", "1"],
  ["MAP {}", "{}"],
  ["array_any_value([NULL, 3, 4])", "3"],
  ["array_dims([[1, 2], [3, 4], [5, 6]])", "[3,2]"],
  ["array_dims([])", ""],
  ["array_ndims([[[1]]])", "3"],
  ["array_ndims(NULL)", ""],
  ["array_distance([1, 2], [1, 4])", "2.0"],
  ["array_distinct([3, 1, NULL, 3, 1])", "[null,1,3]"],
  ["array_element([1, 2, 3], -1)", "3"],
  ["array_element([1, 2, 3], 0)", ""],
  ["array_element([1, 2, 3], 4)", ""],
  ["list_extract(['a', 'b'], 2)", '"b"'],
  ["array_empty([])", "true"],
  ["empty([NULL])", "false"],
  ["array_except([3, 1, 2, 3], [1])", "[3,2]"],
  ["array_except([1, NULL, NULL], [2])", "[1,null]"],
  ["array_intersect([3, 1, NULL, 1], [NULL, 1, 3, 4])", "[null,1,3]"],
  ["array_union([2, 1, 1], [4, 3, 1])", "[1,2,3,4]"],
  ["array_union([1, 1], NULL)", "[1]"],
  ["array_has([1, NULL], 2)", "false"],
  ["array_has([1, NULL], NULL)", ""],
  ["array_contains([[1, NULL]], [1, NULL])", "true"],
  ["array_has_all([1, 2], [NULL])", "false"],
  ["array_has_all([1, 2, NULL], [NULL, 2])", "true"],
  ["array_has_all([1], [])", "true"],
  ["array_has_any([1, NULL], [NULL, 5])", "true"],
  ["arrays_overlap(['a'], ['b'])", "false"],
  ["array_to_string([1, NULL, 3], ',')", '"1,3"'],
  ["array_join([[1, 2], [NULL]], '-', '*')", '"1-2-*"'],
  ["array_to_string([], ',')", '""'],
  ["array_to_string([1, 2], CASE WHEN 1 = 1 THEN '+' END)", '"1+2"'],
  ["string_to_array('a,b,', ',')", '["a","b",""]'],
  ["string_to_array('abc', NULL, 'b')", '["a",null,"c"]'],
  ["string_to_list('a,b', '')", '["a,b"]'],
  ["array_length([[1, 2], [3, 4]], 2)", "2"],
  ["array_length([], 1)", "0"],
  ["array_length([1], 2)", ""],
  ["array_length([[1]], 1 + 1)", "1"],
  ["array_max([1, NULL, 3])", "3"],
  ["array_min(['b', 'a'])", '"a"'],
  ["array_max([])", ""],
  ["array_pop_back([1, 2])", "[1]"],
  ["array_pop_front([1])", "[]"],
  ["array_pop_back([])", "[]"],
  ["array_position([1, 2, 1], 1)", "1"],
  ["array_position([1, 2, 1], 1, 2)", "3"],
  ["array_position([1, NULL], NULL)", "2"],
  ["array_indexof([1], 5)", ""],
  ["array_positions([1, 2, 1, NULL], 1)", "[1,3]"],
  ["array_remove([1, 2, 1], 1)", "[2,1]"],
  ["array_remove_n([1, 2, 1, 1], 1, 2)", "[2,1]"],
  ["array_remove_all([1, 2, 1], 1)", "[2]"],
  ["array_remove_all([1, NULL], NULL)", "[1]"],
  ["array_replace([1, 2, 1], 1, 5)", "[5,2,1]"],
  ["array_replace_n([1, 1, 1], 1, 5, 2)", "[5,5,1]"],
  ["array_replace_n([1, 2], NULL, NULL, NULL)", "[1,2]"],
  ["array_replace_all([[1], [2]], [1], [3, 4])", "[[3,4],[2]]"],
  ["array_repeat('a', 2)", '["a","a"]'],
  ["array_repeat([1], 2)", "[[1],[1]]"],
  ["array_repeat(NULL, 2)", "[null,null]"],
  ["array_repeat(1, -1)", "[]"],
  ["array_resize([1, 2, 3], 2)", "[1,2]"],
  ["array_resize([1], 3, 7)", "[1,7,7]"],
  ["array_reverse([1, NULL, 3])", "[3,null,1]"],
  ["array_slice([1, 2, 3, 4, 5], 2, 4)", "[2,3,4]"],
  ["array_slice([1, 2, 3, 4, 5], -3, -2)", "[3,4]"],
  ["array_slice([1, 2, 3, 4, 5], 1, 5, 2)", "[1,3,5]"],
  ["array_slice([1, 2, 3, 4, 5], 5, 1, -2)", "[5,3,1]"],
  ["array_slice([1, 2, 3], 0, 9)", "[1,2,3]"],
  ["array_slice([1, 2, 3], -9, 2)", "[1,2]"],
  ["array_slice([1, 2, 3], coalesce(NULL, -9), 2)", "[1,2]"],
  ["array_slice([1, 2, 3, 4, 5], coalesce(NULL, 4), 2, -1)", "[4,3,2]"],
  ["array_slice([1, 2, 3], 3, 1)", "[]"],
  ["array_slice([1, 2, 3], 4, 5)", "[]"],
  ["array_slice([1, 2, 3], NULL, 2)", ""],
  ["array_sort([3, NULL, 1])", "[null,1,3]"],
  ["array_sort([3, NULL, 1], 'DESC', 'NULLS LAST')", "[3,1,null]"],
  ["flatten([[1], NULL, [2, 3]])", "[1,2,3]"],
  ["flatten([[[1]], [[2]]])", "[[1],[2]]"],
  ["flatten([1])", "[1]"],
  ["cardinality([[1, 2], [3, 4]])", "4"],
  ["cardinality([])", ""],
  ["generate_series(1, 5, 2)", "[1,3,5]"],
  ["range(3)", "[0,1,2]"],
  ["range(5, 1, -2)", "[5,3]"],
  ["range(1, NULL)", ""],
  [
    "generate_series(DATE '2024-01-31', DATE '2024-04-30', INTERVAL '1 month')",
    '["2024-01-31","2024-02-29","2024-03-31","2024-04-30"]',
  ],
  ["range(DATE '2024-01-01', DATE '2024-01-03', INTERVAL '1 day')", '["2024-01-01","2024-01-02"]'],
  ["range(DATE '2024-01-01', DATE '2024-01-04', INTERVAL '2 days')", '["2024-01-01"]'],
  ["range(DATE '2024-01-03', DATE '2024-01-01', INTERVAL '-1 day')", '["2024-01-03","2024-01-02"]'],
  ["arrow_typeof([1])", '"List(Int64)"'],
  ["arrow_cast([1, 2], 'List(Float64)')", "[1.0,2.0]"],
  ["['2024-01-01'::DATE, NULL]", '["2024-01-01",null]'],
  ["CAST([1.5, NULL] AS VARCHAR)", '"[1.5, ]"'],
  ["range(TIMESTAMP '2024-01-01', TIMESTAMP '2024-01-02', NULL)", ""],
  [
    "range(TIMESTAMP '2024-01-01', TIMESTAMP '2024-01-02', INTERVAL '9 hours')",
    '["2024-01-01T00:00:00","2024-01-01T09:00:00","2024-01-01T18:00:00"]',
  ],
  [
    "range(TIMESTAMP '2024-01-01', TIMESTAMP '2024-01-02', INTERVAL '12 hours')",
    '["2024-01-01T00:00:00","2024-01-01T12:00:00"]',
  ],
  [
    "generate_series(TIMESTAMP '2024-01-31', TIMESTAMP '2024-04-30', INTERVAL '1 month')",
    '["2024-01-31T00:00:00","2024-02-29T00:00:00","2024-03-31T00:00:00","2024-04-30T00:00:00"]',
  ],
  ["struct(1, 'a', NULL)", '{"c0":1,"c1":"a"}'],
  ["named_struct('a', 1, 'b', [1])", '{"a":1,"b":[1]}'],
  ["get_field(named_struct('a', 1, 'b', 2), 'b')", "2"],
  ["array_element([named_struct('a', 1)], 1)", '{"a":1}'],
  ["[named_struct('a', 1), named_struct('a', 2.5)]", '[{"a":1.0},{"a":2.5}]'],
  ["struct(1, 'b') = struct(1, 'b')", "true"],
  ["struct(1, NULL) IS NOT DISTINCT FROM struct(1.0, NULL)", "true"],
  ["make_map('a', 1, 'b', NULL)", '{"a":1}'],
  ["map(['a', 'b'], [1, 2])", '{"a":1,"b":2}'],
  ["map_extract(make_map('a', 1), 'a')", "[1]"],
  ["element_at(make_map('a', 1), 'z')", "[null]"],
  ["get_field(make_map(1, 'x'), 1)", '"x"'],
  ["map_keys(make_map('a', 1, 'b', 2))", '["a","b"]'],
  ["map_values(make_map('a', 1, 'b', 2))", "[1,2]"],
  ["map_entries(make_map('a', 1))", '[{"key":"a","value":1}]'],
  ["cardinality(make_map('a', 1, 'b', 2))", "2"],
  ["[1, 2] = [1, 2]", "true"],
  ["[1, 2] < [1, 3]", "true"],
  ["[1.0] = [1]", "true"],
  ["CASE WHEN 1 = 2 THEN [1] ELSE ['a'] END", '["a"]'],
  ["coalesce(NULL, [1])", "[1]"],
  [
    "array_concat(array_append(array_prepend(1, [2]), 3), array_remove(array_sort([6, 5, 4]), 5))",
    "[1,2,3,4,6]",
  ],
];

/** Statements and the rows they answer, as JSON lines. */
const ROWS: readonly (readonly [string, string])[] = [
  ["SELECT unnest([1, 2]) AS a, unnest([3]) AS b, 5 AS c", '{"a":1,"b":3,"c":5} {"a":2,"c":5}'],
  ["SELECT unnest([1, 2]) + 1 AS a", '{"a":2} {"a":3}'],
  [
    "SELECT unnest(l) AS a, k FROM (VALUES ([1, 2], 1), (NULL, 2), ([], 3), ([NULL], 4)) AS t(l, k)",
    '{"a":1,"k":1} {"a":2,"k":1} {"k":4}',
  ],
  ["SELECT unnest(unnest([[1, 2], [3]])) AS a", '{"a":1} {"a":2} {"a":3}'],
  [
    "SELECT unnest({'a': 1, 'b': 2}), 3 AS c",
    String.raw`{"__unnest_placeholder(named_struct(Utf8(\"a\"),Int64(1),Utf8(\"b\"),Int64(2))).a":1,"__unnest_placeholder(named_struct(Utf8(\"a\"),Int64(1),Utf8(\"b\"),Int64(2))).b":2,"c":3}`,
  ],
  [
    "SELECT unnest([1, 2])",
    '{"UNNEST(make_array(Int64(1),Int64(2)))":1} {"UNNEST(make_array(Int64(1),Int64(2)))":2}',
  ],
  [
    "SELECT unnest([1, 1, 2]) AS a, count(*) AS n GROUP BY a ORDER BY a",
    '{"a":1,"n":2} {"a":2,"n":1}',
  ],
  [
    "SELECT unnest([1, 1, 2]) AS a, count(*) AS n GROUP BY unnest([1, 1, 2]) ORDER BY unnest([1, 1, 2]) DESC",
    '{"a":2,"n":1} {"a":1,"n":2}',
  ],
  ["SELECT a FROM (SELECT unnest([1, 2, 3]) AS a) WHERE a > 1", '{"a":2} {"a":3}'],
  ["SELECT * FROM unnest([1, 2], ['x']) AS t(a, b)", '{"a":1,"b":"x"} {"a":2}'],
  ["SELECT * FROM unnest(struct(1, 'b')) AS t(a, b)", '{"a":1,"b":"b"}'],
  [
    "SELECT k, i FROM (VALUES ([1, 2], 'a'), ([3], 'b')) AS t(l, k), unnest(t.l) AS u(i) ORDER BY i",
    '{"k":"a","i":1} {"k":"a","i":2} {"k":"b","i":3}',
  ],
  ["SELECT * FROM generate_series(1, 3)", '{"value":1} {"value":2} {"value":3}'],
  ["SELECT sum(i) AS s FROM range(1, 5) AS t(i)", '{"s":10}'],
  ["SELECT * FROM range(1, NULL)", ""],
  [
    "SELECT l, count(*) AS n FROM (VALUES ([1, 2]), ([1, 2]), ([2])) AS t(l) GROUP BY l ORDER BY l DESC",
    '{"l":[2],"n":1} {"l":[1,2],"n":2}',
  ],
  [
    "SELECT min(s) AS low, max(s) AS high FROM (VALUES (struct(1 AS 'a', 2 AS 'b')), (struct(1, 3))) AS t(s)",
    '{"low":{"a":1,"b":2},"high":{"a":1,"b":3}}',
  ],
  [
    "SELECT array_agg(x ORDER BY x DESC) AS l, array_sort(array_agg(DISTINCT x)) AS d FROM (VALUES (1), (2), (NULL)) AS t(x) WHERE x < 2 OR x > 1",
    '{"l":[2,1],"d":[1,2]}',
  ],
  [
    "SELECT unnest(array_agg(x ORDER BY x)) + 1 AS a, count(*) AS n FROM (VALUES (2), (1)) AS t(x)",
    '{"a":2,"n":2} {"a":3,"n":2}',
  ],
  [
    "SELECT k, unnest(array_agg(x ORDER BY x)) AS a FROM (VALUES (1, 'a'), (2, 'a'), (3, 'b')) AS t(x, k) GROUP BY k ORDER BY a DESC",
    '{"k":"b","a":3} {"k":"a","a":2} {"k":"a","a":1}',
  ],
  ["SELECT DISTINCT {'a': l} AS s FROM (VALUES ([1]), ([1])) AS t(l)", '{"s":{"a":[1]}}'],
  ["SELECT [1] AS l UNION SELECT [1.0]", '{"l":[1.0]}'],
  ["SELECT array_append((SELECT [x, 2] FROM (VALUES (1)) AS t(x)), 3) AS l", '{"l":[1,2,3]}'],
  [
    "SELECT CAST([1, NULL] AS VARCHAR) AS a, CAST({'k': [1.5]} AS VARCHAR) AS b",
    '{"a":"[1, ]","b":"{k: [1.5]}"}',
  ],
];

/** Expressions and the code of the error that they are. */
const ERRORS: readonly (readonly [string, string])[] = [
  ["array_append(1, 2)", "sql_planning"],
  ["array_element([1], 'a')", "sql_planning"],
  ["[1, true]", "sql_planning"],
  ["array_sort([1], 'UP')", "sql_planning"],
  ["array_slice([1, 2], 1, 2, 0)", "list_argument"],
  ["array_position([1, 2], 1, 3)", "list_argument"],
  ["range(1, 5, 0)", "list_argument"],
  ["array_distance([1], [1, 2])", "list_argument"],
  ["array_resize([1], -1)", "list_argument"],
  ["array_repeat(1, 100000000000)", "list_too_long"],
  ["generate_series(1, 1000000000000)", "list_too_long"],
  ["range(-9223372036854775807, 9223372036854775807)", "list_too_long"],
  ["named_struct('a')", "sql_planning"],
  ["get_field(struct(1), 'a')", "sql_planning"],
  ["make_map('a', 1, 'a', 2)", "map_keys"],
  ["make_map(NULL, 1)", "map_keys"],
  ["map([1, 2], [3])", "map_keys"],
];

suite("lists, structs and maps", () => {
  let engine: DuckDbEngine;
  before(async () => {
    engine = await openTestEngine({ load: () => Promise.reject(new Error("no files")) });
  });
  after(() => engine[Symbol.asyncDispose]());

  async function answer(expression: string): Promise<string> {
    return rowsOf(`SELECT ${expression} AS a`);
  }

  async function rowsOf(sql: string): Promise<string> {
    const plan = planStatement(parseStatement(sql), homeContext());
    const batches = engine.query(plan, new AbortController().signal);
    const chunks = await Array.fromAsync(encodeResult("jsonl", plan.fields, batches));
    return chunks.map(fromUtf8).join("");
  }

  for (const [expression, expected] of VALUES) {
    test(`${expression} is ${expected === "" ? "NULL" : expected}`, async () => {
      assert.equal(await answer(expression), expected === "" ? "{}\n" : `{"a":${expected}}\n`);
    });
  }

  for (const [sql, expected] of ROWS) {
    test(`${sql} gives its rows`, async () => {
      assert.equal((await rowsOf(sql)).trimEnd().replaceAll("\n", " "), expected);
    });
  }

  for (const [expression, code] of ERRORS) {
    test(`${expression} is refused as ${code}`, () => assert.rejects(answer(expression), { code }));
  }
});
