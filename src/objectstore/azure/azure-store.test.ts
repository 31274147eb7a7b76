import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { after, before, suite, test } from "node:test";
import { utf8 } from "#base/bytes.ts";
import { silentLog } from "#ports/log.ts";
import { seededRandom } from "#ports/random.ts";
import { machineClock } from "#testing/http.ts";
import { type Azurite, azureConfig, startAzurite } from "#testing/stores/azurite.ts";
import { checkLongList } from "#testing/stores/long-list.ts";
import { callsOf, isUnavailable } from "#testing/stores/refusals.ts";
import { StandIn } from "#testing/stores/stand-in.ts";
import type { AzureConfig } from "../cloud/config.ts";
import type { CloudPorts } from "../cloud/requests.ts";
import { objectStoreContract } from "../contract.ts";
import { probePutIfAbsent } from "../probe.ts";
import { type AzureStore, openAzureStore } from "./azure-store.ts";

const PORTS: CloudPorts = { clock: machineClock, random: seededRandom(1), log: silentLog };

suite("AzureStore on Azurite", () => {
  let azurite: Azurite;
  before(async () => {
    azurite = await startAzurite();
  });
  after(() => azurite[Symbol.asyncDispose]());

  objectStoreContract("AzureStore", async () => {
    const config = await azurite.makeContainer();
    const parts = new AsyncDisposableStack();
    const open = async () => parts.use(await openAzureStore(config, PORTS));
    return {
      store: await open(),
      openAgain: open,
      [Symbol.asyncDispose]: () => parts.disposeAsync(),
    };
  });

  test("it refuses to create an object twice, as a cluster needs it", async () => {
    await using store = await openAzureStore(await azurite.makeContainer(), PORTS);
    assert.equal(await probePutIfAbsent(store, "cluster01/", PORTS.random), true);
  });

  test("a list of more objects than a page holds is whole", async () => {
    await using store = await openAzureStore(await azurite.makeContainer(), PORTS);
    await checkLongList(store);
  });

  test("a wrong key, a container that is not there and nobody at all are told apart", async () => {
    const config = await azurite.makeContainer();
    const wrong = { ...config, accessKey: Buffer.from("another key").toString("base64") };
    await assertRefused(wrong, "store_denied", /denies access to the container 'test-\d+' at http/);
    await assertRefused({ ...config, bucket: "nowhere" }, "store_missing", /'nowhere'.*create it/);
    const silent = { ...config, endpoint: "http://127.0.0.1:1" };
    await assertRefused(silent, "store_unreachable", /ECONNREFUSED/);
  });

  test("without a key nothing is sent to a server without TLS", async () => {
    const config = { ...(await azurite.makeContainer()), accessKey: undefined };
    const words = /without TLS, so it gets no token: set --azure-storage-access-key/;
    await assert.rejects(openAzureStore(config, PORTS), isUnavailable("store_denied", words));
  });

  test("an endpoint without a path is the account's, at an address of one's own", async () => {
    const config = await azurite.makeContainer();
    const { origin } = new URL(azurite.endpoint);
    await using store = await openAzureStore({ ...config, endpoint: origin }, PORTS);
    await store.putIfAbsent("a", utf8("body"));
    assert.deepEqual(await store.list(""), [{ key: "a", sizeBytes: 4 }]);
  });
});

suite("AzureStore on a service that fails", () => {
  const failures: readonly [name: string, answer: (response: ServerResponse) => void][] = [
    ["500", (response) => response.writeHead(500).end()],
    ["503", (response) => response.writeHead(503, { "x-ms-error-code": "ServerBusy" }).end()],
    ["429", (response) => response.writeHead(429).end()],
    ["a connection that is broken off", (response) => response.destroy()],
    ["nothing", () => undefined],
  ];
  for (const [name, answer] of failures) {
    test(`${name} leaves open what happened, and nothing is sent twice`, async () => {
      await using service = await StandIn.open(answer);
      await using store = await openOn(service);
      for (const call of callsOf(store)) {
        service.requests.length = 0;
        await assert.rejects(call, isUnavailable("store_unreachable"));
        assert.equal(service.requests.length, 1);
      }
    });
  }

  test("a body that is shorter than it says is no object", async () => {
    await using service = await StandIn.open((response) => {
      response.writeHead(200, { "content-length": "10", etag: '"1"' }).write("half");
      setImmediate(() => response.destroy());
    });
    await using store = await openOn(service);
    await assert.rejects(store.get("a"), isUnavailable("store_unreachable", /\(.+\)/));
  });

  test("either answer to a put of what is there is a conflict, and other conflicts are none", async () => {
    const answers: readonly [status: number, code: string, expected: string][] = [
      [409, "BlobAlreadyExists", "object_exists"],
      [412, "ConditionNotMet", "object_exists"],
      [409, "ContainerBeingDeleted", "store_refused"],
    ];
    for (const [status, code, expected] of answers) {
      await using service = await StandIn.open((response) =>
        response.writeHead(status, { "x-ms-error-code": code }).end(),
      );
      await using store = await openOn(service);
      await assert.rejects(store.putIfAbsent("a", utf8("body")), { code: expected });
    }
  });

  test("an account whose folders are objects is refused", async () => {
    await using service = await StandIn.open((response) =>
      response.writeHead(200, { "x-ms-is-hns-enabled": "true" }).end(),
    );
    await assert.rejects(openOn(service), { kind: "unsupported", code: "store_unsafe" });
  });
});

function openOn({ url }: StandIn): Promise<AzureStore> {
  return openAzureStore(azureConfig({ endpoint: url, requestTimeoutMs: 200 }), PORTS);
}

async function assertRefused(config: AzureConfig, code: string, message: RegExp): Promise<void> {
  await using store = await openAzureStore(config, PORTS);
  for (const call of callsOf(store)) await assert.rejects(call, isUnavailable(code, message));
}
