import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Expression } from "../../ast.ts";
import { parseInfluxQl } from "../parse.ts";
import { bindParameters, parseParameters } from "./parameters.ts";

describe("bound parameters", () => {
  const values: readonly (readonly [string, unknown])[] = [
    ["5", { kind: "integer", value: 5n }],
    ["-5", { kind: "integer", value: -5n }],
    ["5.0", { kind: "number", value: 5 }],
    ["1.5e300", { kind: "number", value: 1.5e300 }],
    ['"it\'s"', { kind: "string", value: "it's" }],
    ['"\\" OR 1=1"', { kind: "string", value: '" OR 1=1' }],
    ["true", { kind: "boolean", value: true }],
    ['{"duration":"1h30m"}', { kind: "duration", value: 5_400_000_000_000n }],
    ['{"duration":"-1s"}', { kind: "duration", value: -1_000_000_000n }],
    ['{"duration":1500}', { kind: "duration", value: 1500n }],
    ['{"identifier":"a b"}', { kind: "variable", name: "a b", cast: undefined }],
    ['{"integer":7}', { kind: "integer", value: 7n }],
    ['{"float":7}', { kind: "number", value: 7 }],
    ['{"regex":"a/b"}', { kind: "regex", pattern: "a/b" }],
  ];
  for (const [json, expected] of values) {
    test(`a value is what its JSON says: ${json}`, () => {
      assert.deepEqual(whereOf("=", `{"v":${json}}`), expected);
    });
  }

  test("a regular expression stands where one is expected", () => {
    assert.deepEqual(whereOf("=~", '{"v":{"regex":"^a"}}'), { kind: "regex", pattern: "^a" });
  });

  test("a value is never more than one token", () => {
    const parameters = bindParameters({
      v: "m; DROP DATABASE d",
      l: 5,
      i: { identifier: "m; DROP" },
    });
    assert.throws(() => parseInfluxQl("SELECT a FROM $v", parameters), {
      message:
        "error parsing query: found m; DROP DATABASE d, expected identifier at line 1, char 15",
    });
    const [parsed, ...others] = parseInfluxQl("SELECT a FROM $i LIMIT $l", parameters);
    assert.equal(others.length, 0);
    assert.ok(parsed?.statement.kind === "select");
    assert.equal(parsed.statement.limit, 5);
    assert.deepEqual(parsed.statement.from[0], {
      kind: "measurement",
      database: undefined,
      retentionPolicy: undefined,
      name: { kind: "name", name: "m; DROP" },
    });
  });

  const refused: readonly (readonly [string, string])[] = [
    ["null", "error parsing query: missing parameter: unable to bind parameter with type <nil>"],
    [
      "[1]",
      "error parsing query: missing parameter: unable to bind parameter with type []interface {}",
    ],
    ['{"x":1}', "error parsing query: missing parameter: unknown bind object type: x"],
    [
      "{}",
      "error parsing query: missing parameter: bound object parameter value must have exactly one entry",
    ],
    ['{"duration":"5"}', "error parsing query: invalid duration"],
    [
      '{"regex":"("}',
      "error parsing query: error parsing regexp: missing closing ): `(` at line 1, char 27",
    ],
    ["1e5", 'error parsing json value: strconv.ParseInt: parsing "1e5": invalid syntax'],
    [
      "9223372036854775808",
      'error parsing json value: strconv.ParseInt: parsing "9223372036854775808": value out of range',
    ],
  ];
  for (const [json, message] of refused) {
    test(`a value that cannot be bound is told: ${json}`, () => {
      assert.throws(() => whereOf("=", `{"v":${json}}`), { kind: "invalid", message });
    });
  }

  test("parameters are one JSON object", () => {
    for (const json of ["[1]", "5", '{"a"', "x"]) {
      assert.throws(
        () => parseParameters(json),
        { kind: "invalid", code: "influxql_parameters" },
        json,
      );
    }
    assert.equal(parseParameters("null").size, 0);
  });
});

/** What is compared with `$v`. */
function whereOf(operator: string, json: string): Expression {
  const text = `SELECT a FROM m WHERE x ${operator} $v`;
  const [parsed] = parseInfluxQl(text, parseParameters(json));
  assert.ok(parsed?.statement.kind === "select" && parsed.statement.where?.kind === "binary");
  return parsed.statement.where.right;
}
