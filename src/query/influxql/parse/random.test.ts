import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { isKind } from "#base/errors.ts";
import { seededRandom } from "#ports/random.ts";
import { checkParser } from "#testing/samples/influxql-parser.ts";
import { parseInfluxQl } from "./parse.ts";

describe("text of chance", () => {
  test("200,000 statements print as what parses to the same, or are refused as they should", () => {
    const { printedCount, refusedCount, readCount } = checkParser(seededRandom(6), 200_000);
    assert.equal(printedCount, 50_000);
    assert.ok(refusedCount > 100_000 && readCount > 2_000, "both kinds are among them");
  });

  test("text that is no statement at all is refused as it should", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (written) => {
        try {
          parseInfluxQl(`SELECT ${written}`);
        } catch (error) {
          assert.ok(isKind(error, "invalid"), String(error));
        }
      }),
    );
  });
});
