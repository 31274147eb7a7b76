import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { DbError } from "#base/errors.ts";
import type { NodeNumber } from "#model/ids.ts";
import type { RowDeletion } from "#model/row-delete.ts";
import { ALL_TIME } from "#model/time-range.ts";
import { openServer, send, someServices } from "#testing/http.ts";

const TIMES = { start: "1970-01-01T00:00:00Z", stop: "1970-01-01T00:00:01.5+00:00" };
const TOKEN = { catalog: 7, node: 1 as NodeNumber, position: 0, stamp: 0n };

/** The answer, with the deletions that the services were asked for. */
async function ask(body: unknown, query = "org=o&bucket=db", error?: DbError) {
  const asked: RowDeletion[] = [];
  const services = someServices({
    deleteRows(deletion) {
      asked.push(deletion);
      return error === undefined ? Promise.resolve(TOKEN) : Promise.reject(error);
    },
  });
  await using server = await openServer({ services });
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const path = `/api/v2/delete?${query}`;
  const answer = await send(server.address, { method: "POST", path, body: text });
  return { answer, asked };
}

function tagIs(tag: string, value: string) {
  return { kind: "equal", tag, value, negated: false };
}

suite("POST /api/v2/delete", () => {
  test("deletes a range of time of all tables, and answers with a token", async () => {
    const { answer, asked } = await ask(TIMES);
    assert.equal(answer.status, 204);
    assert.equal(answer.headers["x-tidelake-write-token"], "1.7.1.0.0");
    const time = { start: 0n, end: 1_500_000_000n };
    assert.deepEqual(asked, [{ database: "db", tables: undefined, time, condition: undefined }]);
  });

  test("takes bounds that no row can have", async () => {
    const { asked } = await ask({ start: "0001-01-01T00:00:00Z", stop: "9999-12-31T23:59:59Z" });
    assert.deepEqual(asked[0]?.time, ALL_TIME);
    const far = await ask({ start: "9998-01-01T00:00:00Z", stop: "9999-12-31T23:59:59Z" });
    const { end = 0n, start = 0n } = far.asked[0]?.time ?? {};
    assert.ok(start > end);
  });

  const predicates: readonly (readonly [string, Pick<RowDeletion, "tables" | "condition">])[] = [
    ["  ", { tables: undefined, condition: undefined }],
    ['_measurement="m"', { tables: ["m"], condition: undefined }],
    ['_measurement="m" AND _measurement=n', { tables: [], condition: undefined }],
    [
      `host="a b" and (region='e\\'u' AND "the \\"tag\\""=x-1.5)`,
      {
        tables: undefined,
        condition: {
          kind: "and",
          conditions: [tagIs("host", "a b"), tagIs("region", "e'u"), tagIs('the "tag"', "x-1.5")],
        } as RowDeletion["condition"],
      },
    ],
  ];
  for (const [predicate, expected] of predicates) {
    test(`understands the predicate ${predicate}`, async () => {
      const { answer, asked } = await ask({ ...TIMES, predicate });
      assert.equal(answer.status, 204, answer.body);
      const [{ tables, condition } = { tables: null, condition: null }] = asked;
      assert.deepEqual({ tables, condition }, expected);
    });
  }

  const refused: readonly (readonly [string, RegExp])[] = [
    ['a="1" OR b="2"', /OR is not supported yet, at position 6$/],
    ['a!="1"', /operator != is not supported, = alone is, at position 1$/],
    ["a=~/x/", /operator =~ is not supported/],
    ['a="1" b="2"', /bad logical expression, at position 6$/],
    ['(a="1"', /bracket is not closed, at position 6$/],
    ['a="1"  AND', /name of a tag is missing, at position 10$/],
    ["a=", /a value is missing/],
    ['"a', /bad logical expression, at position 0$/],
    ["_field=f", /_field is not supported/],
    [`${"(".repeat(1_000)}a=1${")".repeat(1_000)}`, /brackets/],
    [Array.from({ length: 101 }, () => "a=1").join(" AND "), /conditions/],
  ];
  for (const [predicate, message] of refused) {
    test(`refuses the predicate ${predicate.slice(0, 30)}`, async () => {
      const { answer, asked } = await ask({ ...TIMES, predicate });
      assert.equal(answer.status, 400);
      const { code, message: text } = JSON.parse(answer.body) as Record<string, string>;
      assert.equal(code, "invalid");
      assert.match(text ?? "", message);
      assert.deepEqual(asked, []);
    });
  }

  test("refuses bodies and parameters that say too little, in the words of v2", async () => {
    const cases: readonly (readonly [unknown, string, RegExp])[] = [
      [{ stop: TIMES.stop }, "bucket=db", /RFC3339Nano for field start/],
      [{ ...TIMES, stop: "1700000000" }, "bucket=db", /RFC3339Nano for field stop/],
      ["{", "bucket=db", /json/],
      [TIMES, "org=o", /missing bucket value/],
      [TIMES, "bucket=_internal", /internal/],
    ];
    for (const [body, query, message] of cases) {
      const { answer } = await ask(body, query);
      assert.equal(answer.status, 400);
      assert.match((JSON.parse(answer.body) as { message: string }).message, message);
    }
    const missing = new DbError("not_found", "database_not_found", "database not found: db");
    const { answer } = await ask(TIMES, "bucket=db", missing);
    assert.deepEqual(
      [answer.status, JSON.parse(answer.body)],
      [404, { code: "not found", message: missing.message }],
    );
  });

  test("takes a bucket for a database with its policy", async () => {
    for (const [bucket, database] of [
      ["db/autogen", "db"],
      ["db/Week", "db/week"],
    ]) {
      const { asked } = await ask(TIMES, `bucket=${bucket}`);
      assert.equal(asked[0]?.database, database);
    }
  });
});
