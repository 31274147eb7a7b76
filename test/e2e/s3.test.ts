/** Clusters in buckets of servers that speak S3: a real one, and one that must be refused. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { hasRadosgw, startRadosgw } from "#testing/stores/radosgw.ts";
import { makeBucket, mustHaveStores, type S3Server } from "#testing/stores/s3-server.ts";
import { startS3rver } from "#testing/stores/s3rver.ts";
import { Sandbox, type TestNode } from "./cluster.ts";

const skip = hasRadosgw() || mustHaveStores() ? false : "radosgw is not installed here";
const ROUND_COUNT = 20;
const ROWS_PER_WRITE = 50;

/** The options of a store in a new bucket of `server`. */
async function bucketWords(server: S3Server): Promise<readonly string[]> {
  const { endpoint, keys } = server;
  const bucket = await makeBucket(server);
  return `--object-store s3 --bucket ${bucket} --aws-endpoint ${endpoint} --aws-allow-http
    --aws-access-key-id ${keys.accessKeyId} --aws-secret-access-key ${keys.secretAccessKey}`.split(
    /\s+/,
  );
}

/** Lines of write number `write`; their sum tells every row apart. */
function linesOf(write: number): string {
  return Array.from({ length: ROWS_PER_WRITE }, (_, row) => {
    const value = write * ROWS_PER_WRITE + row;
    return `m,t=a${row % 5} v=${value}i ${1_000_000 + value}`;
  }).join("\n");
}

suite("nodes in a bucket of radosgw", { skip }, () => {
  test("share what each wrote, through a kill and a restart, and the bucket passes its check", async () => {
    await using server = await startRadosgw();
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
    assert.deepEqual(await totals(two, token), expectedTotals(writeCount + 1));
    const again = await sandbox.start({ nodeId: "host01", mode: "ingest,query", storeWords });
    assert.deepEqual(await totals(again, token), expectedTotals(writeCount + 1));
    const lastCount = await writeRounds(writeCount + 1, again, two);
    for (const node of [again, two]) {
      const { exitCode } = await node.stop();
      assert.equal(exitCode, 0);
    }
    const third = await sandbox.start({ nodeId: "host03", mode: "query", storeWords });
    assert.deepEqual(await totals(third, undefined), expectedTotals(lastCount));

    const check = ["debug", "object-store-check", ...storeWords, "--check-prefix", "checks"];
    const checked = await sandbox.run([...check, "--probe-prefix", "cluster01"]);
    assert.deepEqual([checked.exitCode, checked.error], [0, ""], checked.out);
    assert.match(checked.out, /^ok {6}of 32 that put one name if absent at once/m);
    assert.match(checked.out, /^ok {6}objects under cluster01\/: \d+ listed/m);
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

/** Writes through both nodes in turns, each write read back from the other node; resolves with the number of the next write. */
async function writeRounds(first: number, one: TestNode, two: TestNode): Promise<number> {
  for (let write = first; write < first + ROUND_COUNT; write += 1) {
    const [writer, reader] = write % 2 === 0 ? [one, two] : [two, one];
    const token = await writer.write("d", linesOf(write));
    assert.deepEqual(await totals(reader, token), expectedTotals(write + 1));
  }
  return first + ROUND_COUNT;
}

async function totals(node: TestNode, token: string | undefined): Promise<unknown> {
  const text = "SELECT count(v) AS rows, sum(v) AS total FROM m";
  return (await node.rows("d", text, { token }))[0];
}

function expectedTotals(writeCount: number): unknown {
  const rows = writeCount * ROWS_PER_WRITE;
  return { rows, total: (rows * (rows - 1)) / 2 };
}
