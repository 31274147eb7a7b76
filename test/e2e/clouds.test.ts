/** Clusters on Azure's and Google's stores, as far as emulators of them go, behind a proxy that spoils answers. */
import { join } from "node:path";
import { suite, test } from "node:test";
import { seededRandom } from "#ports/random.ts";
import { startAzurite } from "#testing/stores/azurite.ts";
import { type FaultProxy, STORE_FAULTS, startFaultProxy } from "#testing/stores/fault-proxy.ts";
import { hasGoogleEmulator, startGoogleEmulator } from "#testing/stores/google-emulator.ts";
import { mustHaveStores } from "#testing/stores/s3-server.ts";
import { Sandbox } from "./cluster.ts";
import { RARELY, surviveFaults } from "./faulty-store.ts";

const skip = hasGoogleEmulator() || mustHaveStores() ? false : "the emulator is not here";
/** What can happen to every request of every cloud. */
const FAULTS = STORE_FAULTS.filter((fault) => fault !== "contended" && fault !== "truncated");

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

async function tryCluster(proxy: FaultProxy, { env, words }: Place): Promise<void> {
  await using sandbox = await Sandbox.open();
  proxy.listsAreStale = true;
  let startCount = 0;
  await surviveFaults(proxy, FAULTS, async (nodeId) => {
    const listener = join(sandbox.directory, `listener-${startCount}`);
    startCount += 1;
    const serve = `serve --node-id ${nodeId} --cluster-id cluster01 --http-bind 127.0.0.1:0 --without-auth
      --wal-files-per-snapshot 10 --checkpoint-interval 1s --object-store-request-timeout 1s --tcp-listener-file-path ${listener}`;
    const node = sandbox.launchWords([...serve.split(/\s+/), ...words], listener, { env });
    await node.serving();
    return node;
  });
}
