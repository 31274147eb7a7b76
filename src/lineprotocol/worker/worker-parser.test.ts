import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { utf8 } from "#base/bytes.ts";
import { isKind } from "#base/errors.ts";
import { silentLog } from "#ports/log.ts";
import { DEFAULT_LIMITS, parseLines } from "../parse.ts";
import { rowsOf } from "../rows.ts";
import { WorkerParser } from "./worker-parser.ts";

const OPTIONS = { precision: "auto", defaultTimeNs: 77n, limits: DEFAULT_LIMITS } as const;

/** Large enough for the thread: every kind of value, bad lines, and rows without a field. */
function largeText(seed: number): string {
  const lines = Array.from({ length: 6_000 }, (_, index) => {
    const tags = `host=h${(index * seed) % 97},region=ü`;
    const optional =
      index % 3 === 0 ? `,u=${index}u,s="text ${index % 11}",b=${index % 2 === 0}` : "";
    if (index % 1_000 === 999) return `t${index % 2},${tags} broken`;
    return `t${index % 2},${tags} f=${index / 8},n=${index}i${optional} ${1_700_000_000 + index}`;
  });
  return lines.join("\n");
}

suite("the parser in a thread", () => {
  test("gives what the plain one gives, for bodies of any size, many at once", async () => {
    await using parser = new WorkerParser(silentLog);
    const texts = ["t f=1 1", "", ...Array.from({ length: 5 }, (_, seed) => largeText(seed + 1))];
    const parsed = await Promise.all(texts.map((text) => parser.parse(utf8(text), OPTIONS)));
    for (const [index, text] of texts.entries()) {
      const found = parsed[index];
      assert.ok(found !== undefined);
      const expected = parseLines(utf8(text), OPTIONS);
      assert.deepEqual(found.tables, expected.tables);
      assert.deepEqual(rowsOf(found), rowsOf(expected));
      const { rejected, rejectedCount, lineCount } = found;
      const { rejected: bad, rejectedCount: badCount, lineCount: count } = expected;
      assert.deepEqual([rejected, rejectedCount, lineCount], [bad, badCount, count]);
    }
  });

  test("takes pieces of larger memory without taking that memory", async () => {
    await using parser = new WorkerParser(silentLog);
    const text = largeText(1);
    const all = Buffer.from(`#${text}#`);
    const parsed = await parser.parse(all.subarray(1, -1), OPTIONS);
    assert.equal(parsed.lineCount, 6_000);
    assert.equal(all.toString(), `#${text}#`);
  });

  test("passes refusals on as they are", async () => {
    await using parser = new WorkerParser(silentLog);
    // Thousands of names, each on one of thousands of lines.
    const lines = Array.from(
      { length: 6_000 },
      (_, index) => `t field_${index}=1,gauge_${index}=1 ${index}`,
    );
    const text = lines.join("\n");
    assert.ok(text.length > 128 * 1024);
    const plain = () => parseLines(utf8(text), OPTIONS);
    assert.throws(plain, (error) => isKind(error, "exceeded"));
    await assert.rejects(parser.parse(utf8(text), OPTIONS), (error) => {
      return isKind(error, "exceeded") && error.code === "write_too_sparse";
    });
    assert.equal((await parser.parse(utf8(largeText(1)), OPTIONS)).lineCount, 6_000);
  });

  test("a thread that ends is told to all who wait, and the next body starts another", async () => {
    await using parser = new WorkerParser(silentLog, new URL("data:text/javascript,"));
    const body = utf8(largeText(1));
    for (let round = 0; round < 2; round += 1) {
      const [first, second] = [
        parser.parse(body.slice(), OPTIONS),
        parser.parse(body.slice(), OPTIONS),
      ];
      for (const lost of [first, second])
        await assert.rejects(lost, (error) => {
          return isKind(error, "unavailable") && error.code === "parser_restarted";
        });
    }
  });

  test("parses on when it is closed", async () => {
    const parser = new WorkerParser(silentLog);
    await parser[Symbol.asyncDispose]();
    await parser[Symbol.asyncDispose]();
    assert.equal((await parser.parse(utf8(largeText(1)), OPTIONS)).lineCount, 6_000);
  });
});
