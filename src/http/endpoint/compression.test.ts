import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { constants, gunzipSync, zstdDecompressSync } from "node:zlib";
import { concatBytes, utf8 } from "#base/bytes.ts";
import { chooseEncoding, compressedReply } from "./compression.ts";

const UNPACK = { gzip: gunzipSync, zstd: zstdDecompressSync };
/** Gives what there is of data that is not whole. */
const PARTIAL = {
  gzip: { finishFlush: constants.Z_SYNC_FLUSH },
  zstd: { finishFlush: constants.ZSTD_e_flush },
};

async function* texts(count: number, error?: Error): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < count; i += 1) yield utf8(`row ${i}\n`.repeat(1_000));
  if (error !== undefined) throw error;
}

suite("answers that a client wants compressed", () => {
  const headers: readonly [string | undefined, string | undefined][] = [
    [undefined, undefined],
    ["", undefined],
    ["identity", undefined],
    ["*", undefined],
    ["br", undefined],
    ["gzip", "gzip"],
    ["x-gzip", "gzip"],
    ["gzip, deflate, br, zstd", "zstd"],
    ["GZIP;q=1, zstd;q=0.5", "gzip"],
    ["gzip;q=0", undefined],
    ["zstd;q=0, gzip;q=0.1", "gzip"],
    ["gzip;q=nonsense", undefined],
  ];
  for (const [header, expected] of headers)
    test(`'${header}' is ${expected}`, () => assert.equal(chooseEncoding(header), expected));

  for (const encoding of ["gzip", "zstd"] as const) {
    test(`are whole in ${encoding}, and readable chunk by chunk`, async () => {
      const reply = compressedReply({ status: 200, body: texts(3) }, encoding);
      assert.deepEqual(reply.headers, { "content-encoding": encoding, vary: "accept-encoding" });
      const sent: Uint8Array[] = [];
      let readable = 0;
      for await (const bytes of reply.body as AsyncIterable<Uint8Array>) {
        sent.push(bytes);
        const text = UNPACK[encoding](concatBytes(sent), PARTIAL[encoding]).toString();
        if (text.endsWith(`row ${readable}\n`)) readable += 1;
      }
      assert.equal(readable, 3);
      const whole = concatBytes(await Array.fromAsync(texts(3)));
      assert.deepEqual(new Uint8Array(UNPACK[encoding](concatBytes(sent))), whole);
      assert.ok(concatBytes(sent).length < whole.length / 10);
    });

    test(`that break off are not whole in ${encoding}`, async () => {
      const reply = compressedReply({ status: 200, body: texts(2, new Error("broken")) }, encoding);
      const sent: Uint8Array[] = [];
      await assert.rejects(async () => {
        for await (const bytes of reply.body as AsyncIterable<Uint8Array>) sent.push(bytes);
      }, /broken/);
      assert.throws(() => UNPACK[encoding](concatBytes(sent)));
    });
  }
});
