/** A cluster in a bucket whose server, or the way to it, fails in all the ways those fail. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { seededRandom } from "#ports/random.ts";
import { STORE_FAULTS, startFaultProxy } from "#testing/stores/fault-proxy.ts";
import { hasRadosgw, startRadosgw } from "#testing/stores/radosgw.ts";
import { makeBucket, mustHaveStores } from "#testing/stores/s3-server.ts";
import { eventually, Sandbox, type TestNode } from "./cluster.ts";

const skip = hasRadosgw() || mustHaveStores() ? false : "radosgw is not installed here";
const WRITE_COUNT = 80;
const ROWS_PER_WRITE = 10;
const KILL_AT = 40;

suite("a cluster whose store fails now and then", { skip }, () => {
  test("loses and doubles nothing, through a kill as well", async () => {
    await using server = await startRadosgw();
    await using sandbox = await Sandbox.open();
    await using proxy = await startFaultProxy(server.endpoint, seededRandom(7), 6);
    const bucket = await makeBucket(server);
    const storeWords = `--object-store s3 --bucket ${bucket} --aws-endpoint ${proxy.endpoint}
      --aws-allow-http --aws-access-key-id ${server.keys.accessKeyId}
      --aws-secret-access-key ${server.keys.secretAccessKey}
      --object-store-request-timeout 1s`.split(/\s+/);
    const more = ["--wal-files-per-snapshot", "10"];
    const start = (nodeId: string) => sandbox.start({ nodeId, storeWords, more });
    proxy.faultOneOf = 40;
    let one = await start("host01");
    const two = await start("host02");
    proxy.faultOneOf = 6;
    for (let write = 0; write < WRITE_COUNT; write += 1) {
      if (write === KILL_AT) {
        await one.kill();
        proxy.faultOneOf = 40;
        one = await start("host01");
        proxy.faultOneOf = 6;
      }
      await writeUntilTaken(write % 2 === 0 ? one : two, write);
    }
    for (const fault of STORE_FAULTS) assert.ok(proxy.counts[fault] > 0, `${fault} never happened`);
    proxy.faultOneOf = Number.POSITIVE_INFINITY;
    const rowCount = WRITE_COUNT * ROWS_PER_WRITE;
    const expected = { rows: rowCount, total: (rowCount * (rowCount - 1)) / 2 };
    for (const node of [one, two, await start("host03")]) {
      await eventually(
        async () => {
          const found = await totals(node);
          return found?.["rows"] === rowCount ? true : undefined;
        },
        { what: "all rows" },
      );
      assert.deepEqual(await totals(node), expected);
    }
  });
});

/** Sends write number `write` until the node takes it; each row has its time, so rows that came twice are the same. */
async function writeUntilTaken(node: TestNode, write: number): Promise<void> {
  const lines = Array.from({ length: ROWS_PER_WRITE }, (_, row) => {
    const value = write * ROWS_PER_WRITE + row;
    return `m,t=a${row % 5} v=${value}i ${1_000_000 + value}`;
  });
  await eventually(
    async () => {
      const path = "/api/v3/write_lp?db=d&precision=nanosecond";
      const { status, text } = await node.post(path, lines.join("\n"));
      assert.ok(status === 204 || status === 503, `${status} ${text}`);
      return status === 204 ? true : undefined;
    },
    { what: `write ${write}`, withinMs: 60_000 },
  );
}

async function totals(node: TestNode) {
  return (await node.rows("d", "SELECT count(v) AS rows, sum(v) AS total FROM m"))[0];
}
