/** Clusters on Azure's and Google's stores, as far as emulators of them go, behind a proxy that spoils answers. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { suite, test } from "node:test";
import { seededRandom } from "#ports/random.ts";
import { startAzurite } from "#testing/stores/azurite.ts";
import { type FaultProxy, startFaultProxy } from "#testing/stores/fault-proxy.ts";
import { hasGoogleEmulator, startGoogleEmulator } from "#testing/stores/google-emulator.ts";
import { mustHaveStores } from "#testing/stores/s3-server.ts";
import { eventually, Sandbox, type TestNode } from "./cluster.ts";

const skip = hasGoogleEmulator() || mustHaveStores() ? false : "the emulator is not here";
const WRITE_COUNT = 60;
const ROWS_PER_WRITE = 20;
/** A start gives up after some probes whose answers were lost, so fewer are while nodes start. */
const RARELY = 40;
const OFTEN = 6;
/** What can happen to every request of every cloud. */
const FAULTS = ["cut", "lost", "refused", "silent", "slow", "throttled"] as const;

/** How a node is told of its store. */
interface Place {
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

suite("nodes lose and double nothing while the store fails in all the ways it can, through a kill as well", () => {
  test("on Azurite", async () => {
    await using azurite = await startAzurite();
    const { account, accessKey = "", bucket } = await azurite.makeContainer();
    await using proxy = await startFaultProxy(azurite.endpoint, seededRandom(7), RARELY);
    await tryCluster(proxy, {
      words: `--object-store azure --bucket ${bucket} --azure-storage-account ${account}
        --azure-endpoint ${proxy.endpoint} --azure-allow-http`.split(/\s+/),
      env: { AZURE_STORAGE_ACCESS_KEY: accessKey },
    });
  });

  test("on an emulator of Google's", { skip }, async () => {
    await using emulator = await startGoogleEmulator();
    const { bucket } = await emulator.makeBucket();
    await using proxy = await startFaultProxy(emulator.url, seededRandom(7), RARELY);
    await tryCluster(proxy, {
      words: `--object-store google --bucket ${bucket}`.split(" "),
      env: { STORAGE_EMULATOR_HOST: proxy.endpoint },
    });
  });
});

async function tryCluster(proxy: FaultProxy, place: Place): Promise<void> {
  await using sandbox = await Sandbox.open();
  let startCount = 0;
  const start = async (nodeId: string) => {
    proxy.faultOneOf = RARELY;
    const listener = join(sandbox.directory, `listener-${startCount}`);
    startCount += 1;
    const words = `serve --node-id ${nodeId} --cluster-id cluster01 --http-bind 127.0.0.1:0 --without-auth
      --wal-files-per-snapshot 10 --object-store-request-timeout 1s --tcp-listener-file-path ${listener}`;
    const { env } = place;
    const node = sandbox.launchWords([...words.split(/\s+/), ...place.words], listener, { env });
    await node.serving();
    proxy.faultOneOf = OFTEN;
    return node;
  };
  let one = await start("host01");
  const two = await start("host02");
  for (let write = 0; write < WRITE_COUNT; write += 1) {
    if (write === WRITE_COUNT / 2) {
      await one.kill();
      one = await start("host01");
    }
    await writeUntilTaken(write % 2 === 0 ? one : two, write);
  }
  for (const fault of FAULTS) assert.ok(proxy.counts[fault] > 0, `${fault} never happened`);
  const third = await start("host03");
  proxy.faultOneOf = Number.POSITIVE_INFINITY;
  const rows = WRITE_COUNT * ROWS_PER_WRITE;
  const expected = { rows, total: (rows * (rows - 1)) / 2 };
  for (const node of [one, two, third]) {
    await eventually(
      async () => ((await totals(node))?.["rows"] === expected.rows ? true : undefined),
      { what: "all rows" },
    );
    assert.deepEqual(await totals(node), expected);
  }
}

/** Sends write number `write` until the node takes it; each row has its time, so rows that come twice are the same. */
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
