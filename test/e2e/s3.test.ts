/** Clusters in buckets of servers that speak S3: a real one, and one that must be refused. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { rename, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { seededRandom } from "#ports/random.ts";
import { STORE_FAULTS, startFaultProxy } from "#testing/stores/fault-proxy.ts";
import { hasRadosgw, type Radosgw, startRadosgw } from "#testing/stores/radosgw.ts";
import { makeBucket, mustHaveStores, type S3Server } from "#testing/stores/s3-server.ts";
import { startS3rver } from "#testing/stores/s3rver.ts";
import { eventually, Sandbox, type TestNode } from "./cluster.ts";
import { RARELY, surviveFaults } from "./faulty-store.ts";

const skip = hasRadosgw() || mustHaveStores() ? false : "radosgw is not installed here";
/** Writes of one round. */
const ROUND_COUNT = 20;
const ROWS_PER_WRITE = 50;

/** The options of a store in a new bucket of `server`, reached at `endpoint`. */
async function bucketWords(
  server: S3Server,
  endpoint: string = server.endpoint,
): Promise<readonly string[]> {
  const { keys } = server;
  const bucket = await makeBucket(server);
  return `--object-store s3 --bucket ${bucket} --aws-endpoint ${endpoint} --aws-allow-http
    --aws-access-key-id ${keys.accessKeyId} --aws-secret-access-key ${keys.secretAccessKey}`.split(
    /\s+/,
  );
}

suite("nodes in a bucket of radosgw", { skip }, () => {
  let server: Radosgw;
  before(async () => {
    server = await startRadosgw();
  });
  after(() => server[Symbol.asyncDispose]());

  test("share what each wrote, through a kill and a restart, and the bucket passes its check", async () => {
    await using sandbox = await Sandbox.open();
    const storeWords = await bucketWords(server);
    const [one, two] = await Promise.all([
      sandbox.start({ nodeId: "host01", mode: "ingest,query,compact", storeWords }),
      sandbox.start({ nodeId: "host02", mode: "ingest,query", storeWords }),
    ]);
    const writeCount = await writeRounds(0, one, two);
    await one.kill();
    // The other one goes on meanwhile.
    const token = await two.write("d", linesOf(writeCount));
    assert.deepEqual(await totals(two, token), totalsOf(writeCount + 1));
    const again = await sandbox.start({ nodeId: "host01", mode: "ingest,query", storeWords });
    assert.deepEqual(await totals(again, token), totalsOf(writeCount + 1));
    const lastCount = await writeRounds(writeCount + 1, again, two);
    for (const node of [again, two]) assert.equal((await node.stop()).exitCode, 0);
    const third = await sandbox.start({ nodeId: "host03", mode: "query", storeWords });
    assert.deepEqual(await totals(third), totalsOf(lastCount));

    const check = ["debug", "object-store-check", ...storeWords, "--check-prefix", "checks"];
    const checked = await sandbox.run([...check, "--probe-prefix", "cluster01"]);
    assert.deepEqual([checked.exitCode, checked.error], [0, ""], checked.out);
    assert.match(checked.out, /^ok {6}of 32 that put one name if absent at once/m);
    assert.match(checked.out, /^ok {6}objects under cluster01\/: \d+ listed/m);
  });

  test("find keys where Amazon's programs do: environment, shared file, the machine", async () => {
    await using sandbox = await Sandbox.open();
    const { accessKeyId, secretAccessKey } = server.keys;
    const storeWords = (await bucketWords(server)).slice(0, 7);
    const path = join(sandbox.directory, "credentials");
    const lines = `aws_access_key_id=${accessKeyId}\naws_secret_access_key=${secretAccessKey}\n`;
    await writeFile(path, `[default]\n${lines}`);
    await using machine = await startMetadata(server.keys);
    const places = [
      { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey },
      { AWS_SHARED_CREDENTIALS_FILE: path },
      { AWS_EC2_METADATA_SERVICE_ENDPOINT: machine.endpoint },
    ];
    for (const [index, env] of places.entries()) {
      const node = await sandbox.start({ nodeId: `host0${index + 1}`, storeWords, env });
      await node.write("d", `m v=${index}i ${index}`);
      assert.equal((await node.stop()).exitCode, 0);
    }
    const env = { AWS_EC2_METADATA_DISABLED: "true" };
    const { exitCode, error } = await sandbox.launch({ storeWords, env }).ended;
    assert.deepEqual(
      [exitCode, /denies access.*Could not load credentials/.test(error)],
      [1, true],
    );
  });

  const KEY_FILES: readonly [string, typeof writeKeys, (path: string) => StoreAccess][] = [
    ["a file of their own", writeKeys, (path) => ({ words: ["--aws-credentials-file", path] })],
    [
      "the file of Amazon's programs",
      writeSharedKeys,
      (path) => ({
        env: { AWS_SHARED_CREDENTIALS_FILE: path, AWS_EC2_METADATA_DISABLED: "true" },
      }),
    ],
  ];
  for (const [name, write, access] of KEY_FILES)
    test(`say that their keys were taken away, and go on as soon as ${name} has others`, async () => {
      await using sandbox = await Sandbox.open();
      const path = join(sandbox.directory, "keys");
      const [first, second] = ["first", "second"].map((accessKeyId) => ({
        accessKeyId: `${accessKeyId}-${write.name}`,
        secretAccessKey: `secret of ${accessKeyId}`,
      }));
      assert.ok(first !== undefined && second !== undefined);
      await server.addKey(first);
      await write(path, first);
      const { words = [], env = {} } = access(path);
      const storeWords = [...(await bucketWords(server)).slice(0, 7), ...words];
      const node = await sandbox.start({ storeWords, env });
      await node.write("d", "m v=1i 1");
      await server.removeKey(first.accessKeyId);
      const refused = await node.post("/api/v3/write_lp?db=d&precision=nanosecond", "m v=2i 2");
      assert.deepEqual([refused.status, /denies access/.test(refused.text)], [503, true]);
      assert.match((await node.get("/ready")).text, /denies access/);
      await server.addKey(second);
      await write(path, second);
      await eventually(async () => ((await node.get("/ready")).status === 200 ? true : undefined), {
        what: "a node that is ready",
      });
      await node.write("d", "m v=3i 3");
      // What was not confirmed was kept.
      const rows = await node.rows("d", "SELECT v FROM m ORDER BY v");
      assert.deepEqual(rows, [{ v: 1 }, { v: 2 }, { v: 3 }]);
    });

  test("lose and double nothing while the store fails in all the ways it can, through a kill as well", async () => {
    await using sandbox = await Sandbox.open();
    await using proxy = await startFaultProxy(server.endpoint, seededRandom(7), RARELY);
    const words = await bucketWords(server, proxy.endpoint);
    const storeWords = [...words, "--object-store-request-timeout", "1s"];
    proxy.listsAreStale = true;
    const more = ["--wal-files-per-snapshot", "10", "--checkpoint-interval", "1s"];
    await surviveFaults(proxy, STORE_FAULTS, (nodeId) =>
      sandbox.start({ nodeId, storeWords, more }),
    );
  });
});

suite("a node in a bucket of a server that ignores conditions", () => {
  test("does not start, and the check of the bucket says why", async () => {
    await using server = await startS3rver();
    await using sandbox = await Sandbox.open();
    const storeWords = await bucketWords(server);
    const { exitCode, error } = await sandbox.launch({ storeWords }).ended;
    assert.deepEqual([exitCode, /lets an object be put twice/.test(error)], [1, true], error);
    const check = ["debug", "object-store-check", ...storeWords, "--check-prefix", "checks"];
    const checked = await sandbox.run(check);
    assert.equal(checked.exitCode, 1);
    assert.match(checked.out, /^FAILED {2}putting if absent is refused where an object stands/m);
    assert.match(checked.error, /do not run a cluster on this object store/);
  });
});

/** What a machine of Amazon's tells programs on it about their keys. */
async function startMetadata({ accessKeyId, secretAccessKey }: S3Server["keys"]) {
  const keys = {
    Code: "Success",
    AccessKeyId: accessKeyId,
    SecretAccessKey: secretAccessKey,
    Token: "",
    Expiration: new Date(Date.now() + 3_600_000).toISOString(),
  };
  const server = createServer(({ method, url = "" }, response) => {
    if (method === "PUT") response.end("token");
    else response.end(url.endsWith("/role") ? JSON.stringify(keys) : "role");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** Where a node finds its keys. */
interface StoreAccess {
  readonly words?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

async function writeKeys(path: string, keys: S3Server["keys"]): Promise<void> {
  const { accessKeyId, secretAccessKey } = keys;
  const text = { aws_access_key_id: accessKeyId, aws_secret_access_key: secretAccessKey };
  await replaceFile(path, JSON.stringify(text));
}

async function writeSharedKeys(path: string, keys: S3Server["keys"]): Promise<void> {
  const { accessKeyId: id, secretAccessKey: secret } = keys;
  const lines = `aws_access_key_id=${id}\naws_secret_access_key=${secret}\n`;
  await replaceFile(path, `[default]\n${lines}`);
}

/** In one step, as whatever keeps such a file does. */
async function replaceFile(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
}

/** Writes through both nodes in turns, each write read back from the other node; resolves with the number of the next write. */
async function writeRounds(first: number, one: TestNode, two: TestNode): Promise<number> {
  for (let write = first; write < first + ROUND_COUNT; write += 1) {
    const [writer, reader] = write % 2 === 0 ? [one, two] : [two, one];
    const token = await writer.write("d", linesOf(write));
    assert.deepEqual(await totals(reader, token), totalsOf(write + 1));
  }
  return first + ROUND_COUNT;
}

/** Lines of write number `write`; their sum tells every row apart. */
function linesOf(write: number): string {
  return Array.from({ length: ROWS_PER_WRITE }, (_, row) => {
    const value = write * ROWS_PER_WRITE + row;
    return `m,t=a${row % 5} v=${value}i ${1_000_000 + value}`;
  }).join("\n");
}

async function totals(node: TestNode, token?: string) {
  const text = "SELECT count(v) AS rows, sum(v) AS total FROM m";
  return (await node.rows("d", text, { token }))[0];
}

/** What the rows of the first `writeCount` writes add up to. */
function totalsOf(writeCount: number) {
  const rows = writeCount * ROWS_PER_WRITE;
  return { rows, total: (rows * (rows - 1)) / 2 };
}
