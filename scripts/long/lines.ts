import assert from "node:assert/strict";
import { utf8 } from "#base/bytes.ts";
import { DEFAULT_LIMITS, parseParts } from "#lineprotocol/parse.ts";
import { spreadSeries } from "#lineprotocol/series-table.ts";
import { FastParser } from "#lineprotocol/wasm/fast-parser.ts";
import { below, seededRandom } from "#ports/random.ts";
import { lineBody } from "#testing/samples/line-bodies.ts";
import { print } from "./output.ts";

const OPTIONS = { precision: "auto", defaultTimeNs: 77n, limits: DEFAULT_LIMITS } as const;

/** Compares the fast parser with the plain one, value by value and message by message, over `lineCount` lines of chance. */
export async function runLines({ lineCount }: { lineCount: number }): Promise<readonly string[]> {
  const parser = new FastParser();
  const random = seededRandom(lineCount);
  let [seenCount, rejectedCount] = [0, 0];
  while (seenCount < lineCount) {
    const text = lineBody(random, 100 + below(random, 2_000));
    const expected = parseParts(utf8(text), OPTIONS);
    seenCount += expected.lineCount;
    rejectedCount += expected.rejectedCount;
    try {
      const found = parser.parse(utf8(text), OPTIONS);
      assert.deepEqual({ ...found, tables: found.tables.map(spreadSeries) }, expected);
    } catch (error) {
      return [`a body is parsed otherwise: ${JSON.stringify(text)}: ${String(error)}`];
    }
  }
  print(`lines: ${seenCount}, ${rejectedCount} of them bad`);
  return [];
}
