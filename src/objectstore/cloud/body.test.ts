import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { suite, test } from "node:test";
import { readBody } from "./body.ts";

function chunks(...sizes: readonly number[]): Readable {
  return Readable.from(sizes.map((size, index) => Buffer.alloc(size, index + 1)));
}

suite("the body of an answer", () => {
  const { signal } = new AbortController();

  test("is all of its chunks, and of none nothing", async () => {
    const body = await readBody(chunks(1, 2, 0, 1), 4, signal);
    assert.deepEqual(body, Uint8Array.of(1, 2, 2, 4));
    assert.deepEqual(await readBody(chunks(), 0, signal), new Uint8Array());
  });

  test("is refused where it breaks off or goes on", async () => {
    await assert.rejects(readBody(chunks(3), 4, signal), /broke off after 3 of 4 bytes/);
    await assert.rejects(readBody(chunks(3, 2), 4, signal), /goes on after its 4 bytes/);
  });

  test("is not waited for any more once nobody wants it", async () => {
    const silent = new Readable({ read: () => undefined });
    const request = new AbortController();
    const reading = assert.rejects(readBody(silent, 4, request.signal), { name: "AbortError" });
    request.abort();
    await reading;
    assert.equal(silent.destroyed, true);
  });
});
