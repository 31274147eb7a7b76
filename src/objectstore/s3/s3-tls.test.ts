import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:https";
import { suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import { silentLog } from "#ports/log.ts";
import { seededRandom } from "#ports/random.ts";
import { machineClock } from "#testing/http.ts";
import { s3Config } from "#testing/stores/s3-server.ts";
import type { S3Config } from "../cloud/config.ts";
import { openS3Store } from "./s3-store.ts";

/** A certificate of 127.0.0.1 that nobody but itself signed. */
const CERTIFICATE = fileURLToPath(new URL("testdata/server.pem", import.meta.url));
const KEY = fileURLToPath(new URL("testdata/server-key.pem", import.meta.url));
const PORTS = { clock: machineClock, random: seededRandom(1), log: silentLog };

suite("S3Store over TLS", () => {
  test("refuses a server that nobody vouches for", async () => {
    await assert.rejects(readOne({}), {
      code: "store_unreachable",
      message: /self-signed certificate/,
    });
  });

  test("trusts who a file vouches for", async () => {
    assert.equal(await readOne({ tlsCaPath: CERTIFICATE }), "body");
  });

  test("trusts everybody where it is told to", async () => {
    assert.equal(await readOne({ tlsAllowInsecure: true }), "body");
  });

  test("says so when the file is not there", async () => {
    await assert.rejects(readOne({ tlsCaPath: "/nowhere.pem" }), {
      kind: "invalid",
      code: "store_file_unusable",
      message: /--object-store-tls-ca.*nowhere/,
    });
  });
});

/** The text of an object of a server that shows the certificate. */
async function readOne(trust: Partial<S3Config>): Promise<string> {
  const [cert, key] = await Promise.all([readFile(CERTIFICATE), readFile(KEY)]);
  await using server = createServer({ cert, key }, (_, response) => response.end("body"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  const config = s3Config({ endpoint: `https://127.0.0.1:${address.port}`, ...trust });
  await using store = await openS3Store(config, PORTS);
  return Buffer.from((await store.get("a")) ?? []).toString();
}
