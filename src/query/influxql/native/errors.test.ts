import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { DbError, describeError } from "#base/errors.ts";
import { parseInfluxQl } from "../parse/parse.ts";
import { nativeError, refuseOldNumbers } from "./errors.ts";

const SELECT = "SELECT v FROM m WHERE v > ";

suite("errors of InfluxQL as InfluxDB 3 words them", () => {
  const cases: readonly [text: string, message: string, place: string][] = [
    [
      `${SELECT}1.5e3`,
      "found e3, expected ; at line 1, char 30",
      '29. Parsing Error: Nom("e3", Tag)',
    ],
    [`${SELECT}5e20`, "invalid duration", '27. Parsing Error: Nom("e20", Tag)'],
    [`${SELECT}0x10`, "invalid duration", '27. Parsing Error: Nom("x10", Tag)'],
    [
      "show\ntags",
      "found tags, expected X at line 2, char 1",
      '5. Parsing Error: Nom("tags", Tag)',
    ],
  ];
  for (const [text, message, place] of cases) {
    test(`${text} breaks off at ${place}`, () => {
      const error = new DbError("invalid", "influxql_syntax", `error parsing query: ${message}`);
      const told = nativeError(error, text) as DbError;
      assert.equal(
        told.message,
        `error in InfluxQL statement: parsing error: invalid InfluxQL statement at pos ${place}`,
      );
    });
  }

  test("logs have none of the statement's text", () => {
    const text = "CREATE USER u WITH PASSWORD s3cret";
    let error: unknown;
    try {
      parseInfluxQl(text);
    } catch (thrown) {
      error = nativeError(thrown, text);
    }
    assert.ok(error instanceof DbError);
    assert.match(error.message, /"s3cret"/);
    assert.equal(
      describeError(error),
      "error in InfluxQL statement: parsing error: invalid InfluxQL statement at pos 28: error parsing query: at line 1, char 29",
    );
  });

  test("other errors stay as they are", () => {
    const error = new DbError("invalid", "influxql_refused", "no");
    assert.equal(nativeError(error, "x"), error);
  });

  test("a number that ends in a point is none, but in texts and names", () => {
    assert.throws(() => refuseOldNumbers(`${SELECT}5.`), /at pos 27\. .*Nom\("\.", Tag\)/);
    for (const text of [`${SELECT}5.0`, `${SELECT}'5.'`, 'SELECT "5." FROM m', `${SELECT}5m`])
      refuseOldNumbers(text);
  });
});
