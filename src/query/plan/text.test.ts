import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { fromUtf8 } from "#base/bytes.ts";
import { DbError } from "#base/errors.ts";
import type { DuckDbEngine } from "#engine/duckdb/duckdb-engine.ts";
import { openTestEngine } from "#engine/duckdb/test-engine.ts";
import { homeContext } from "#testing/home.ts";
import { encodeResult } from "../result/result.ts";
import { parseStatement } from "../sql/statement.ts";
import { planStatement } from "./plan.ts";

/** Expressions about text, bytes and numbers, and the JSON they answer; nothing is NULL. */
const VALUES: readonly (readonly [string, string])[] = [
  ["ascii('💯a')", "128175"],
  ["ascii('')", "0"],
  ["bit_length('é')", "16"],
  ["octet_length('é')", "2"],
  ["octet_length(X'0102')", "2"],
  ["length('é💯')", "2"],
  ["chr(128175)", '"💯"'],
  ["initcap('heLLo wörld-x1')", '"Hello Wörld-X1"'],
  ["initcap('')", '""'],
  ["trim(both 'xy' from 'xyaxy')", '"a"'],
  ["ltrim('  a ')", '"a "'],
  ["rtrim('axx', 'x')", '"a"'],
  ["lpad('hi', 5, 'xy')", '"xyxhi"'],
  ["lpad('hi', 1)", '"h"'],
  ["rpad('hi', 4, '')", '"hi"'],
  ["rpad('hi', NULL)", ""],
  ["lpad('hi', -1)", '""'],
  ["repeat('ab', 3)", '"ababab"'],
  ["repeat('ab', -3)", '""'],
  ["translate('12345', '143', 'ax')", '"a2x5"'],
  ["translate('score', 'foo', 'bar')", '"scrre"'],
  ["translate('abc', 'aab', 'x')", '"c"'],
  ["overlay('Txxxxas' placing 'hom' from 2 for 4)", '"Thomas"'],
  ["overlay('abc' placing 'XY' from 2)", '"aXY"'],
  ["overlay('123' placing 'abc' from 4 for 5)", '"abc"'],
  ["position('b' in 'abc')", "2"],
  ["find_in_set('b', 'a,b,c')", "2"],
  ["find_in_set('z', '')", "0"],
  ["levenshtein('kitten', 'sitting')", "3"],
  ["levenshtein('é', 'e')", "1"],
  ["split_part('a~b~c', '~', -1)", '"c"'],
  ["split_part('a~b~c', '~', 9)", '""'],
  ["substr_index('www.apache.org', '.', 2)", '"www.apache"'],
  ["substring_index('www.apache.org', '.', -2)", '"apache.org"'],
  ["substr_index('www.apache.org', '.', -9)", '"www.apache.org"'],
  ["substring('abcdef' from 2 for 3)", '"bcd"'],
  ["reverse('aé💯')", '"💯éa"'],
  ["to_hex(-1)", '"ffffffffffffffff"'],
  ["to_hex(2147483647)", '"7fffffff"'],
  ["concat('a', NULL, 1, true)", '"a1true"'],
  ["concat_ws('-', 'a', NULL, 'b')", '"a-b"'],
  ["concat_ws(NULL, 'a', 'b')", ""],
  ["contains('abc', 'bc')", "true"],
  ["length(uuid())", "36"],
  ["'100%' LIKE '100!%' ESCAPE '!'", "true"],
  ["'100x' LIKE '100!%' ESCAPE '!'", "false"],
  ["'abc' SIMILAR TO 'a.c'", "true"],
  ["regexp_like('Köln', '^\\w+$')", "true"],
  ["regexp_like('٣', '^\\d$')", "true"],
  ["regexp_like('Москва', '^\\p{Letter}+$')", "true"],
  ["regexp_like('aBC', 'b', 'i')", "true"],
  ["regexp_like('a', lower('A'))", "true"],
  ["regexp_count('Düsseldorf', '\\w')", "10"],
  ["regexp_count('abcabc', 'A', 2, 'i')", "1"],
  ["regexp_count('abc', '')", "0"],
  ["regexp_count(NULL, 'a')", "0"],
  ["regexp_match('foobarbequebaz', '(bar)(beque)')", '["bar","beque"]'],
  ["regexp_match('foo', 'o+')", '["oo"]'],
  ["regexp_match('foo', concat('(o)', '(o)'))", '["o","o"]'],
  ["regexp_match('foo', 'x')", ""],
  ["regexp_replace('Thomas', '.[mN]a.', 'M')", '"ThM"'],
  ["regexp_replace('foobarbaz', 'b(..)', 'X\\1Y', 'g')", '"fooXarYXazY"'],
  ["regexp_replace('foobar', '(?<x>o+)', '<${x}$1$$$9>')", '"f<oooo$>bar"'],
  ["regexp_replace('aBa', 'A', '-', lower('GI'))", '"-B-"'],
  ["regexp_instr('123123', '123', 2)", "4"],
  ["regexp_instr('a1b22', '\\d+', 1, 2)", "4"],
  ["regexp_instr('abc', 'x', 2)", "0"],
  ["encode('tom', 'base64')", '"dG9t"'],
  ["encode('to', 'base64')", '"dG8"'],
  ["encode(X'00ff', 'hex')", '"00ff"'],
  ["encode(decode('dG8', 'base64'), 'hex')", '"746f"'],
  ["encode(decode('dG8=', 'base64'), 'hex')", '"746f"'],
  ["md5('foo')", '"acbd18db4cc2f85cedef654fccc4a4d8"'],
  ["encode(sha224('tom'), 'hex')", '"0bf6cb62649c42a9ae3876ab6f6d92ad36cb5414e495f8873292be4d"'],
  [
    "encode(digest('', 'sha256'), 'hex')",
    '"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"',
  ],
  [
    "encode(digest('', 'blake3'), 'hex')",
    '"af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"',
  ],
  [
    "encode(digest('', 'blake2s'), 'hex')",
    '"69217a3079908094e11121d042354a7c1f55b6482ca1a51e1b250dfd1ed0eef9"',
  ],
  ["length(encode(digest(NULL, 'blake2b'), 'hex'))", ""],
  ["acos(2) IS NULL OR isnan(acos(2))", "true"],
  ["atanh(1)", "null"],
  ["degrees(pi())", "180.0"],
  ["atan2(0.0, 1.0)", "0.0"],
  ["factorial(20)", "2432902008176640000"],
  ["factorial(-3)", "1"],
  ["gcd(12, -18)", "6"],
  ["lcm(4, 6)", "12"],
  ["power(3, 4)", "81"],
  ["power(-1, 9223372036854775807)", "-1"],
  ["power(2.0, 3)", "8.0"],
  ["nanvl(acos(2), 5.0)", "5.0"],
  ["iszero(-0.0)", "true"],
  ["trunc(1.567, 2)", "1.56"],
  ["round(CAST(0.00005 AS REAL), 4)", "0.0001"],
  ["abs(CAST(-5 AS TINYINT))", "5"],
  ["log(2, 64.0)", "6.0"],
  ["5 & 3 | 8 ^ 1", "9"],
  ["-8 >> 1", "-4"],
  ["1 << 63", "-9223372036854775808"],
  ["CAST(1 AS TINYINT) << CAST(9 AS TINYINT)", "2"],
  ["CAST(255 AS TINYINT UNSIGNED) << CAST(1 AS TINYINT UNSIGNED)", "254"],
  ["greatest(2, '4')", "4"],
  ["coalesce(NULL, 1, '2')", "1"],
  ["nvl2(NULL, 'a', 'b')", '"b"'],
  ["CASE WHEN 2 THEN 'x' END", '"x"'],
];

const TYPES: readonly (readonly [string, string])[] = [
  ["length('a')", "int32"],
  ["strpos('a', 'a')", "int32"],
  ["regexp_count('a', 'a')", "int64"],
  ["sqrt(CAST(2 AS REAL))", "float32"],
  ["abs(CAST(2 AS SMALLINT))", "int16"],
  ["round(2)", "float64"],
  ["power(2, 3)", "int64"],
  ["sha256('a')", "binary"],
  ["CAST(1 AS SMALLINT) & CAST(1 AS INT)", "int32"],
];

const REFUSED: readonly (readonly [string, string])[] = [
  ["chr(9223372036854775807)", "argument_invalid"],
  ["chr(55296)", "argument_invalid"],
  ["split_part('a', 'b', 0)", "argument_invalid"],
  ["power(2, -1)", "argument_invalid"],
  ["repeat('ab', 1000000000)", "text_too_long"],
  ["lpad('a', 1000000000, 'x')", "text_too_long"],
  ["levenshtein(repeat('a', 5000), repeat('b', 5000))", "text_too_long"],
  ["power(10, 19)", "number_overflow"],
  ["factorial(21)", "number_overflow"],
  ["regexp_like('a', '(')", "regexp_invalid"],
  ["regexp_like('a', '[a&&b]')", "regexp_invalid"],
  ["regexp_match('a', concat('(', 'a'))", "regexp_invalid"],
  ["regexp_match('a', 'a', 'g')", "sql_planning"],
  ["regexp_count('a', 'a', 0)", "sql_planning"],
  ["decode('6g', 'hex')", "cast_failed"],
  ["decode(12, 'hex')", "sql_planning"],
  ["encode('a', 'base32')", "sql_planning"],
  ["digest('a', 'crc')", "sql_planning"],
  ["1.5 & 1", "sql_planning"],
  ["substr('')", "sql_planning"],
];

suite("functions of text, bytes and numbers", () => {
  let engine: DuckDbEngine;
  before(async () => {
    engine = await openTestEngine({ load: () => Promise.reject(new Error("there are no files")) });
  });
  after(async () => engine[Symbol.asyncDispose]());

  const answer = async (sql: string): Promise<string> => {
    const plan = planStatement(parseStatement(sql), homeContext());
    const rows = engine.query(plan, new AbortController().signal);
    const chunks = await Array.fromAsync(encodeResult("jsonl", plan.fields, rows));
    return chunks.map(fromUtf8).join("").trim();
  };

  for (const [expression, expected] of VALUES) {
    test(`${expression} is ${expected || "NULL"}`, async () => {
      const object = expected === "" ? "{}" : `{"x":${expected}}`;
      assert.equal(await answer(`SELECT ${expression} AS x`), object);
    });
  }

  for (const [expression, type] of TYPES) {
    test(`${expression} has type ${type}`, () => {
      const plan = planStatement(parseStatement(`SELECT ${expression}`), homeContext());
      assert.equal(plan.fields[0]?.type, type);
    });
  }

  for (const [expression, code] of REFUSED) {
    test(`${expression} is refused with ${code}`, async () => {
      await assert.rejects(answer(`SELECT ${expression} AS x`), (error) => {
        assert.ok(error instanceof DbError, String(error));
        assert.equal(error.code, code);
        assert.ok(["invalid", "exceeded"].includes(error.kind));
        return true;
      });
    });
  }

  test("arguments that are subqueries are computed once, wherever they stand", async () => {
    const text = "(SELECT t.s FROM (VALUES ('a.b')) AS t(s))";
    const calls = [
      `initcap(${text})`,
      `overlay(${text} placing 'x' from 2)`,
      `substr_index(${text}, '.', 1)`,
      `regexp_match(${text}, '(b)')`,
      `lpad(${text}, 4, 'x')`,
      "power((SELECT 2), 3)",
      "(SELECT 1) << 3",
    ];
    assert.equal(
      await answer(`SELECT ${calls.map((call, index) => `${call} AS c${index}`).join(", ")}`),
      '{"c0":"A.B","c1":"axb","c2":"a","c3":["b"],"c4":"xa.b","c5":8,"c6":8}',
    );
  });

  test("functions of this process answer for many rows, some NULL", async () => {
    const rows =
      "(SELECT CASE WHEN v % 3 = 0 THEN NULL ELSE v END FROM range(0, 9000) AS t(v)) AS s(v)";
    assert.equal(
      await answer(
        `SELECT count(levenshtein('1', CAST(v AS VARCHAR))) AS n, count(DISTINCT digest(CAST(v AS VARCHAR), 'blake3')) AS d FROM ${rows}`,
      ),
      '{"n":6000,"d":6000}',
    );
  });
});
