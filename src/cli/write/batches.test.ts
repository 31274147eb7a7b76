import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { LineCursor } from "#lineprotocol/lines.ts";
import { type Batch, type BatchOptions, cutBatches, LINE_SIZE_MAX } from "./batches.ts";

const NEWLINE = 0x0a;

async function* inChunks(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (let index = 0; at < bytes.length; index += 1) {
    const size = sizes[index % sizes.length] ?? bytes.length;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

async function cut(
  input: string | Uint8Array,
  options: Partial<BatchOptions> = {},
  sizes: readonly number[] = [7],
): Promise<readonly Batch[]> {
  const bytes = typeof input === "string" ? Buffer.from(input) : input;
  const all = { sizeMax: 16, firstLine: 1, ...options };
  return Array.fromAsync(cutBatches(inChunks(bytes, sizes), all));
}

function texts(batches: readonly Batch[]): readonly string[] {
  return batches.map(({ bytes }) => Buffer.from(bytes).toString());
}

/** The lines that say something, as the server finds them in `bytes`, and the places where no line is torn. */
function linesOf(bytes: Buffer): { lines: readonly string[]; ends: readonly number[] } {
  const lines: string[] = [];
  const inner = new Set<number>();
  const cursor = new LineCursor(bytes);
  while (cursor.advance()) {
    lines.push(`${cursor.number}: ${bytes.toString("latin1", cursor.start, cursor.end)}`);
    for (let at = cursor.start; at < cursor.end; at += 1) inner.add(at);
  }
  const ends = [...bytes.keys()].filter((at) => bytes[at] === NEWLINE && !inner.has(at));
  return { lines, ends: ends.map((at) => at + 1) };
}

/** Texts full of what decides where a line ends. */
const piece = fc.oneof(
  fc.constantFrom(
    "m f=1",
    'm f="',
    '"',
    "\n",
    "\\",
    "\\\n",
    "# c",
    " ",
    ",",
    "=",
    "\t",
    "é",
    "\r\n",
  ),
  fc.constantFrom(
    'm s="a\nb" 1\n',
    "m,t=a\\ b v=1i 5\n",
    "\n\n\n",
    "# 'a long comment' \"\n",
    "m f=1 1\n",
  ),
);
const body = fc.array(piece, { maxLength: 60 }).map((pieces) => Buffer.from(pieces.join("")));
const chunkSizes = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 5 });
const size = fc.integer({ min: 1, max: 50 });

suite("batches", () => {
  test("joined they are the input; no line is torn, and none is too large unless it is one line", async () => {
    await fc.assert(
      fc.asyncProperty(body, size, chunkSizes, async (bytes, sizeMax, sizes) => {
        const batches = await cut(bytes, { sizeMax }, sizes);
        assert.deepEqual(Buffer.concat(batches.map((batch) => batch.bytes)), bytes);
        const whole = linesOf(bytes);
        const found = batches.flatMap(({ bytes: part, start, rowCount }) => {
          const { lines } = linesOf(Buffer.from(part));
          assert.equal(rowCount, lines.length);
          return lines.map((line) => {
            const [, number = "", text = ""] = /^(\d+): (.*)$/s.exec(line) ?? [];
            return `${Number(number) + start.line - 1}: ${text}`;
          });
        });
        assert.deepEqual(found, whole.lines);
        let at = { byte: 0, line: 1 };
        for (const [index, { bytes: part, start, end, final }] of batches.entries()) {
          assert.deepEqual(start, at);
          at = end;
          assert.equal(end.byte, start.byte + part.length);
          assert.equal(final, index === batches.length - 1);
          if (final) assert.equal(end.byte, bytes.length);
          else assert.ok(whole.ends.includes(end.byte), "a batch ends where a line does");
          const inside = whole.ends.filter((cutAt) => cutAt > start.byte && cutAt < end.byte);
          assert.ok(part.length > 0 && (part.length <= sizeMax || inside.length === 0));
        }
      }),
      { numRuns: 2000 },
    );
  });

  test("from any line on they are the rest of the input, with the same places", async () => {
    const property = fc.asyncProperty(body, size, chunkSizes, fc.nat(), async (...given) => {
      const [bytes, sizeMax, sizes, chosen] = given;
      const { ends } = linesOf(bytes);
      const startByte = ends[chosen % (ends.length || 1)] ?? 0;
      const firstLine = bytes.subarray(0, startByte).filter((byte) => byte === NEWLINE).length + 1;
      const batches = await cut(bytes, { sizeMax, firstLine }, sizes);
      const joined = Buffer.concat(batches.map((batch) => batch.bytes));
      assert.deepEqual(joined, bytes.subarray(startByte));
      if (batches[0]) assert.deepEqual(batches[0].start, { byte: startByte, line: firstLine });
    });
    await fc.assert(property, { numRuns: 500 });
  });

  test("they are filled as far as whole lines fit", async () => {
    assert.deepEqual(texts(await cut("a b=1\na b=2\na b=3\na b=4\n")), [
      "a b=1\na b=2\n",
      "a b=3\na b=4\n",
    ]);
    assert.deepEqual(texts(await cut('a b="\n\n\n"\na b=1\n', { sizeMax: 12 })), [
      'a b="\n\n\n"\n',
      "a b=1\n",
    ]);
  });

  test("an input that is exactly one batch is known to be all", async () => {
    const batches = await cut("a b=1\na b=2\naaa", { sizeMax: 15 });
    assert.deepEqual(
      batches.map(({ final }) => final),
      [true],
    );
    assert.deepEqual(await cut(""), []);
  });

  test("a line that is longer than a batch goes alone", async () => {
    const long = `m s="${"x".repeat(100_000)}"\n`;
    const batches = texts(await cut(`a b=1\n${long}a b=2\n`, { sizeMax: 64 }, [1000]));
    assert.deepEqual(batches, ["a b=1\n", long, "a b=2\n"]);
  });

  test("a line without end is refused before it fills the memory", async () => {
    const start = Buffer.from('a b=1\n# comment\nm s="never closed\n');
    let givenBytes = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield start;
      for (const chunk = Buffer.alloc(2 ** 16, "x\n"); ; givenBytes += chunk.length) yield chunk;
    }
    const batches = cutBatches(endless(), { sizeMax: 2 ** 16, firstLine: 1 });
    assert.deepEqual((await batches.next()).value?.end, { byte: 16, line: 3 });
    await assert.rejects(batches.next(), /line 3 has over 10485760 bytes: is one of its quotes/);
    assert.ok(givenBytes <= LINE_SIZE_MAX + 2 ** 17);
  });

  test("to begin behind the end is refused, to begin at it is not", async () => {
    assert.deepEqual(await cut("a b=1\n", { firstLine: 2 }), []);
    await assert.rejects(cut("a b=1\n", { firstLine: 3 }), /no line 3 .* the input ends in line 2/);
  });

  test("who stops early closes the input", async () => {
    let closed = false;
    async function* input(): AsyncGenerator<Uint8Array> {
      try {
        while (true) yield Buffer.from("a b=1\n");
      } finally {
        closed = true;
      }
    }
    for await (const batch of cutBatches(input(), { sizeMax: 20, firstLine: 1 })) {
      assert.equal(batch.rowCount, 3);
      break;
    }
    assert.ok(closed);
  });
});
