import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { isKind } from "#base/errors.ts";
import type { Expression, InfluxQlStatement, SelectStatement } from "../ast.ts";
import { parseInfluxQl } from "./parse.ts";

const REFUSED = new URL("testdata/refused.txt", import.meta.url);
const STATEMENT_WORDS =
  "SELECT, DELETE, SHOW, CREATE, DROP, EXPLAIN, GRANT, REVOKE, ALTER, SET, KILL";

const MEAN: Expression = {
  kind: "call",
  name: "mean",
  arguments: [{ kind: "variable", name: "v x", cast: undefined }],
};
const FULL_SELECT: SelectStatement = {
  kind: "select",
  fields: [
    { expression: MEAN, alias: "m" },
    { expression: { kind: "variable", name: "a.b", cast: "float" }, alias: undefined },
    { expression: { kind: "wildcard", type: "tag" }, alias: undefined },
    {
      expression: {
        kind: "binary",
        operator: "*",
        left: { kind: "integer", value: -1n },
        right: { kind: "variable", name: "c", cast: undefined },
      },
      alias: undefined,
    },
  ],
  into: { database: "db", retentionPolicy: "", measurement: undefined },
  from: [
    {
      kind: "measurement",
      database: undefined,
      retentionPolicy: "rp",
      name: { kind: "name", name: "cpu" },
    },
    {
      kind: "measurement",
      database: "db",
      retentionPolicy: "rp",
      name: { kind: "regex", pattern: "x/y" },
    },
    { kind: "subquery", select: plainSelect("d", "e") },
  ],
  where: {
    kind: "binary",
    operator: "AND",
    left: {
      kind: "binary",
      operator: "=~",
      left: { kind: "variable", name: "t", cast: undefined },
      right: { kind: "regex", pattern: "^a" },
    },
    right: {
      kind: "parenthesized",
      expression: {
        kind: "binary",
        operator: "OR",
        left: {
          kind: "binary",
          operator: "!=",
          left: { kind: "variable", name: "u", cast: undefined },
          right: { kind: "string", value: "it's" },
        },
        right: {
          kind: "binary",
          operator: ">",
          left: { kind: "variable", name: "v", cast: undefined },
          right: { kind: "number", value: 1.5 },
        },
      },
    },
  },
  groupBy: [
    {
      expression: {
        kind: "call",
        name: "time",
        arguments: [
          { kind: "duration", value: 300_000_000_000n },
          { kind: "duration", value: -60_000_000_000n },
        ],
      },
    },
    { expression: { kind: "variable", name: "host", cast: undefined } },
  ],
  fill: { kind: "number", value: -1, integer: true },
  descending: true,
  limit: 1,
  offset: 2,
  seriesLimit: 3,
  seriesOffset: 4,
  zone: "Europe/Berlin",
};

describe("parseInfluxQl", () => {
  test("refuses what influxd refuses, with its words and places", () => {
    const cases = readFileSync(REFUSED, "utf8").matchAll(/^([^#\s].*)\n {4}(.*)\n/gm);
    let count = 0;
    for (const [, text = "", expected] of cases) {
      assert.equal(errorOf(text), `error parsing query: ${expected}`, text);
      count += 1;
    }
    assert.ok(count > 400, "there are cases");
  });

  const places: readonly (readonly [string, string])[] = [
    ["SELECT a\n\nFROM m\r\n\r x", "found x, expected ; at line 5, char 2"],
    ["SELECT a\rFROM\n", "found EOF, expected identifier at line 2, char 6"],
    ["SELECT 'a\nb'", "found a, expected identifier, string, number, bool at line 1, char 7"],
    ["SELECT a FROM /a\nb/ x", "bad regex:  at line 1, char 14"],
    ["-- a\nSELEC", `found SELEC, expected ${STATEMENT_WORDS} at line 2, char 1`],
    ["\n\n'x'", `found x, expected ${STATEMENT_WORDS} at line 1, char 1`],
    ["SELECT a,\n'x' /* b */ x", "found x, expected FROM at line 2, char 13"],
    [
      "SELECT a FROM m WHERE a =~\n/(/",
      "error parsing regexp: missing closing ): `(` at line 1, char 27",
    ],
    ["SHOW DATABASES; SELEC", `found SELEC, expected ${STATEMENT_WORDS} at line 1, char 17`],
  ];
  for (const [text, expected] of places) {
    test(`places are of lines and characters: ${JSON.stringify(text)}`, () => {
      assert.equal(errorOf(text), `error parsing query: ${expected}`);
    });
  }

  test("several statements keep their own texts; empty ones are left out", () => {
    const parsed = parseInfluxQl(' ;; SHOW DATABASES ;\n-- of nothing\n select a from "m" ; ');
    assert.deepEqual(
      parsed.map(({ text }) => text),
      ["SHOW DATABASES", 'select a from "m"'],
    );
    for (const text of ["", " ", ";", "-- a", "/* a */;"])
      assert.deepEqual(parseInfluxQl(text), []);
  });

  test("one mistake fails all statements", () => {
    assert.match(errorOf("DROP DATABASE a; DROP x"), /^error parsing query: found x/);
    assert.match(errorOf("SHOW USERS SHOW USERS"), /expected ; at line 1, char 12$/);
  });

  test("all of SELECT is kept", () => {
    const text =
      'SELECT mean("v x") AS m, a.b::float, *::tag, -c INTO db..:MEASUREMENT FROM rp.cpu, db.rp./x\\/y/, (SELECT d FROM e) ' +
      "WHERE t =~ /^a/ AND (u <> 'it\\'s' OR v > 1.5) GROUP BY time(5m, -1m), host fill(-1) ORDER BY time DESC " +
      "LIMIT 1 OFFSET 2 SLIMIT 3 SOFFSET 4 TZ('Europe/Berlin')";
    assert.deepEqual(one(text), FULL_SELECT);
  });

  test("operators bind as in 1.x, those of one strength from the left", () => {
    const same: readonly (readonly [string, string])[] = [
      ["a + b * c", "a + (b * c)"],
      ["a - b - c", "(a - b) - c"],
      ["a | b & c ^ d", "(a | (b & c)) ^ d"],
      ["-a * b", "(-a) * b"],
      ["a / -b", "a / (-b)"],
    ];
    for (const [plain, grouped] of same) {
      assert.deepEqual(
        withoutParentheses(fieldOf(plain)),
        withoutParentheses(fieldOf(grouped)),
        plain,
      );
    }
    assert.notDeepEqual(
      withoutParentheses(fieldOf("a - b - c")),
      withoutParentheses(fieldOf("a - (b - c)")),
    );
    const where = "a = 1 OR b = 2 AND c = 3 + 4";
    const grouped = "(a = 1) OR ((b = 2) AND (c = (3 + 4)))";
    assert.deepEqual(
      withoutParentheses(select(`SELECT x FROM m WHERE ${where}`).where),
      withoutParentheses(select(`SELECT x FROM m WHERE ${grouped}`).where),
    );
  });

  test("literals have the values and types of 1.x", () => {
    const values: readonly (readonly [string, unknown])[] = [
      ["9223372036854775807", { kind: "integer", value: 9223372036854775807n }],
      ["9223372036854775808", { kind: "unsigned", value: 9223372036854775808n }],
      ["-9223372036854775808", { kind: "integer", value: -9223372036854775808n }],
      ["1.", { kind: "number", value: 1 }],
      [".5", { kind: "number", value: 0.5 }],
      ["1h30m", { kind: "duration", value: 5_400_000_000_000n }],
      ["-10µ", { kind: "duration", value: -10_000n }],
      ["2w", { kind: "duration", value: 1_209_600_000_000_000n }],
      ["true", { kind: "boolean", value: true }],
      ["'a\\n\\\\'", { kind: "string", value: "a\n\\" }],
      ['"a\\"b"', { kind: "variable", name: 'a"b', cast: undefined }],
      ["DISTINCT a", { kind: "distinct", name: "a" }],
      [
        "DISTINCT(a)",
        {
          kind: "call",
          name: "distinct",
          arguments: [{ kind: "variable", name: "a", cast: undefined }],
        },
      ],
    ];
    for (const [text, expected] of values) {
      assert.deepEqual(fieldOf(text), expected, text);
    }
  });

  test("names of time zones are those of IANA, in their letters", () => {
    assert.equal(zoneOf("America/Los_Angeles"), "America/Los_Angeles");
    assert.equal(zoneOf("UTC"), undefined);
    assert.equal(zoneOf(""), undefined);
    for (const name of ["utc", "europe/berlin", "+01:00", "x", "../UTC"]) {
      assert.throws(() => zoneOf(name), {
        message: `error parsing query: unable to find time zone ${name}`,
      });
    }
  });
});

function one(text: string): InfluxQlStatement {
  const [parsed, ...others] = parseInfluxQl(text);
  assert.ok(parsed && others.length === 0);
  return parsed.statement;
}

function select(text: string): SelectStatement {
  const statement = one(text);
  assert.ok(statement.kind === "select");
  return statement;
}

function zoneOf(name: string): string | undefined {
  return select(`SELECT a FROM m TZ('${name}')`).zone;
}

function fieldOf(text: string): Expression {
  const [field] = select(`SELECT ${text} FROM m`).fields;
  assert.ok(field);
  return field.expression;
}

function plainSelect(field: string, measurement: string): SelectStatement {
  return {
    kind: "select",
    fields: [{ expression: { kind: "variable", name: field, cast: undefined }, alias: undefined }],
    into: undefined,
    from: [
      {
        kind: "measurement",
        database: undefined,
        retentionPolicy: undefined,
        name: { kind: "name", name: measurement },
      },
    ],
    where: undefined,
    groupBy: [],
    fill: { kind: "null" },
    descending: false,
    limit: 0,
    offset: 0,
    seriesLimit: 0,
    seriesOffset: 0,
    zone: undefined,
  };
}

function withoutParentheses(expression: Expression | undefined): Expression | undefined {
  switch (expression?.kind) {
    case "parenthesized":
      return withoutParentheses(expression.expression);
    case "binary": {
      const [left, right] = [
        withoutParentheses(expression.left),
        withoutParentheses(expression.right),
      ];
      assert.ok(left && right);
      return { ...expression, left, right };
    }
    default:
      return expression;
  }
}

/** What is said of text that must be refused. */
function errorOf(text: string): string {
  try {
    parseInfluxQl(text);
  } catch (error) {
    assert.ok(isKind(error, "invalid"), String(error));
    assert.equal(error.code, "influxql_syntax");
    return error.message;
  }
  return assert.fail(`it was read: ${text}`);
}
