import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { utf8 } from "#base/bytes.ts";
import { silentLog } from "#ports/log.ts";
import { seededRandom } from "#ports/random.ts";
import { machineClock } from "#testing/http.ts";
import {
  type GoogleEmulator,
  googleConfig,
  hasGoogleEmulator,
  startGoogleEmulator,
} from "#testing/stores/google-emulator.ts";
import { checkLongList } from "#testing/stores/long-list.ts";
import { callsOf, isUnavailable } from "#testing/stores/refusals.ts";
import { mustHaveStores } from "#testing/stores/s3-server.ts";
import { StandIn } from "#testing/stores/stand-in.ts";
import type { CloudPorts } from "../cloud/requests.ts";
import { objectStoreContract } from "../contract.ts";
import { probePutIfAbsent } from "../probe.ts";
import { type GoogleStore, openGoogleStore } from "./google-store.ts";

const PORTS: CloudPorts = { clock: machineClock, random: seededRandom(1), log: silentLog };
const skip = hasGoogleEmulator() || mustHaveStores() ? false : "the emulator is not here";

suite("GoogleStore on an emulator", { skip }, () => {
  let emulator: GoogleEmulator;
  before(async () => {
    emulator = await startGoogleEmulator();
  });
  after(() => emulator[Symbol.asyncDispose]());

  const openBucket = async (bucket: string) =>
    openGoogleStore(googleConfig({ bucket }), PORTS, { STORAGE_EMULATOR_HOST: emulator.url });

  objectStoreContract("GoogleStore", async () => {
    const { bucket } = await emulator.makeBucket();
    const parts = new AsyncDisposableStack();
    const open = async () => parts.use(await openBucket(bucket));
    return {
      store: await open(),
      openAgain: open,
      [Symbol.asyncDispose]: () => parts.disposeAsync(),
    };
  });

  test("it refuses to create an object twice, as a cluster needs it", async () => {
    const { bucket } = await emulator.makeBucket();
    await using store = await openBucket(bucket);
    assert.equal(await probePutIfAbsent(store, "cluster01/", PORTS.random), true);
  });

  test("a list of more objects than a page holds is whole", async () => {
    const { bucket } = await emulator.makeBucket();
    await using store = await openBucket(bucket);
    await checkLongList(store);
  });

  test("the address of an emulator may come without http://", async () => {
    const { bucket } = await emulator.makeBucket();
    const env = { STORAGE_EMULATOR_HOST: emulator.url.replace("http://", "") };
    await using store = await openGoogleStore(googleConfig({ bucket }), PORTS, env);
    await store.put("a", utf8("body"));
    assert.deepEqual(await store.list(""), [{ key: "a", sizeBytes: 4 }]);
  });
});

suite("GoogleStore on a service that fails", () => {
  const failures: readonly [name: string, answer: (response: ServerResponse) => void][] = [
    ["500", (response) => response.writeHead(500).end()],
    ["503", (response) => response.writeHead(503).end("<html>")],
    ["429", (response) => refuse(response, 429, "rateLimitExceeded", "slow down")],
    ["a connection that is broken off", (response) => response.destroy()],
    ["an answer that is broken off", (response) => breakOff(response)],
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

  const refusals: readonly [status: number, reason: string, message: string, code: string][] = [
    [401, "authError", "Invalid Credentials", "store_denied"],
    [403, "forbidden", "host01 does not have storage.objects.get access", "store_denied"],
    [404, "notFound", "The specified bucket does not exist.", "store_missing"],
    [400, "invalid", "Bad Request", "store_refused"],
  ];
  for (const [status, reason, message, code] of refusals) {
    test(`${status} ${reason} is ${code}, in the service's words`, async () => {
      await using service = await StandIn.open((response) =>
        refuse(response, status, reason, message),
      );
      await using store = await openOn(service);
      for (const call of callsOf(store)) {
        const words = new RegExp(`the bucket 'data'.*${status} ${reason}: ${message}`);
        await assert.rejects(call, isUnavailable(code, words));
      }
    });
  }

  test("a page of something on the way is no word on an object", async () => {
    let status = 404;
    await using service = await StandIn.open((response) =>
      response.writeHead(status).end("<html>404 Not Found</html>"),
    );
    await using store = await openOn(service);
    await assert.rejects(store.get("a"), isUnavailable("store_missing"));
    await assert.rejects(store.delete("a"), isUnavailable("store_missing"));
    status = 200;
    await assert.rejects(store.putIfAbsent("a", utf8("b")), isUnavailable("store_unreachable"));
    await assert.rejects(store.put("a", utf8("b")), isUnavailable("store_unreachable"));
  });

  test("an object that is not there is none, in whatever words", async () => {
    for (const text of ["No such object: my-bucket/a", "Not Found", ""]) {
      await using service = await StandIn.open((response) => response.writeHead(404).end(text));
      await using store = await openOn(service);
      assert.equal(await store.get("a"), undefined);
      await store.delete("a");
    }
  });
});

suite("the service account of a GoogleStore", () => {
  test("is refused at once where its file is not one", async () => {
    await using folder = await Folder.open();
    const files: readonly [content: string | undefined, message: RegExp][] = [
      [undefined, /the file of --google-service-account: ENOENT/],
      ["{", /it holds no service account: Invalid JSON/],
      ["[]", /it holds no service account: type: Invalid key/],
      ['{"type":"authorized_user"}', /it holds no service account: type: Invalid type/],
    ];
    for (const [content, message] of files) {
      const serviceAccountPath = await folder.write(content);
      await assert.rejects(openGoogleStore(googleConfig({ serviceAccountPath }), PORTS, {}), {
        kind: "invalid",
        code: "store_file_unusable",
        message,
      });
    }
  });

  test("is named where its key is none", async () => {
    await using folder = await Folder.open();
    const account = { type: "service_account", client_email: "a@b", private_key: "none" };
    const serviceAccountPath = await folder.write(JSON.stringify(account));
    await using store = await openGoogleStore(googleConfig({ serviceAccountPath }), PORTS, {});
    const words = /check the file of --google-service-account/;
    await assert.rejects(store.get("a"), isUnavailable("store_denied", words));
  });
});

function openOn({ url }: StandIn): Promise<GoogleStore> {
  const config = googleConfig({ requestTimeoutMs: 200 });
  return openGoogleStore(config, PORTS, { STORAGE_EMULATOR_HOST: url });
}

function refuse(response: ServerResponse, status: number, reason: string, message: string): void {
  const error = { code: status, message, errors: [{ message, domain: "global", reason }] };
  response.writeHead(status).end(JSON.stringify({ error }));
}

function breakOff(response: ServerResponse): void {
  response.writeHead(200, { "content-length": "10" }).write("half");
  setImmediate(() => response.destroy());
}

/** A folder of a test's own. */
class Folder implements AsyncDisposable {
  readonly #path: string;

  static async open(): Promise<Folder> {
    return new Folder(await mkdtemp(join(tmpdir(), "tidelake-google-")));
  }

  private constructor(path: string) {
    this.#path = path;
  }

  /** The path of a file with `content`; of none, without. */
  async write(content: string | undefined): Promise<string> {
    const path = join(this.#path, content === undefined ? "none" : "account.json");
    if (content !== undefined) await writeFile(path, content);
    return path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#path, { recursive: true, force: true });
  }
}
