/** A compactor dies between two steps of a compaction, each time at the very request, and another goes on where it was. */
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { openAzureStore } from "#objectstore/azure/azure-store.ts";
import type { AzureConfig } from "#objectstore/cloud/config.ts";
import { silentLog } from "#ports/log.ts";
import { seededRandom } from "#ports/random.ts";
import { machineClock } from "#testing/http.ts";
import { type Azurite, startAzurite } from "#testing/stores/azurite.ts";
import { type Asked, startFaultProxy } from "#testing/stores/fault-proxy.ts";
import { eventually, Sandbox, type TestNode } from "./cluster.ts";

const PORTS = { clock: machineClock, random: seededRandom(1), log: silentLog };
const FILE_COUNT = 4;
const ROW_COUNT = 200;
const WITHIN_MS = 60_000;
/** Long ago, so that every window has ended. */
const START_NS = 1_700_000_000_000_000_000n;
const INGEST = ["--wal-files-per-snapshot", "1"];
const COMPACT = "--compaction-check-interval 100ms --compaction-cleanup-wait 1s".split(" ");

interface Moment {
  readonly name: string;
  /** The request at which it dies. */
  readonly at: (asked: Asked) => boolean;
  /** Whether the store still does what was asked. */
  readonly applied: boolean;
}

const isReplacement = ({ body, method, path }: Asked) =>
  method === "PUT" && path.includes("/manifest/entry/") && body.includes('"inputs":["');
const isDeletion = ({ method, path }: Asked) => method === "DELETE" && path.includes("/data/");

const MOMENTS: readonly Moment[] = [
  { name: "between its files and their entry", at: isReplacement, applied: false },
  { name: "before it hears of its entry", at: isReplacement, applied: true },
  { name: "between its entry and the first deletion", at: isDeletion, applied: false },
];

suite("a compactor that is killed", () => {
  let azurite: Azurite;
  before(async () => {
    azurite = await startAzurite();
  });
  after(() => azurite[Symbol.asyncDispose]());

  for (const { applied, at, name } of MOMENTS)
    test(`${name} leaves every answer as it was, and the next one finishes its work`, async () => {
      await using sandbox = await Sandbox.open();
      const config = await azurite.makeContainer();
      await using proxy = await startFaultProxy(azurite.endpoint, seededRandom(1), Infinity);
      const node = await startNode(sandbox, config, { mode: "ingest,query", more: INGEST });
      const token = await writeFiles(node);
      const answer = async () =>
        (await node.query("d", "SELECT * FROM m ORDER BY t, time", { token })).text;
      const expected = await answer();
      const reached = proxy.trap(at, applied);
      const compact = { nodeId: "host02", mode: "compact", more: COMPACT };
      const spoilt = { ...config, endpoint: proxy.endpoint };
      const dying = await startNode(sandbox, spoilt, compact);
      await reached;
      await dying.kill();
      assert.equal(await answer(), expected);
      await startNode(sandbox, config, compact);
      await expectCompacted(node, config);
      assert.equal(await answer(), expected);
      const verified = await sandbox.run(
        ["debug", "verify-references", "--cluster-id", "cluster01", ...wordsOf(config)],
        { env: envOf(config) },
      );
      assert.equal(verified.exitCode, 0, verified.out + verified.error);
    });
});

function startNode(
  sandbox: Sandbox,
  config: AzureConfig,
  options: { nodeId?: string; mode: string; more: readonly string[] },
): Promise<TestNode> {
  return sandbox.start({ ...options, storeWords: wordsOf(config), env: envOf(config) });
}

function wordsOf({ account, bucket, endpoint }: AzureConfig): readonly string[] {
  const words = `--object-store azure --bucket ${bucket} --azure-storage-account ${account}
    --azure-endpoint ${endpoint} --azure-allow-http`;
  return words.split(/\s+/);
}

function envOf({ accessKey = "" }: AzureConfig): Readonly<Record<string, string>> {
  return { AZURE_STORAGE_ACCESS_KEY: accessKey };
}

/** Files that overlap: later ones replace some fields of rows, and add others. */
async function writeFiles(node: TestNode): Promise<string | undefined> {
  let token: string | undefined;
  for (let file = 0; file < FILE_COUNT; file += 1) {
    const lines = Array.from({ length: ROW_COUNT }, (_, row) => {
      const field = (row + file) % 3 === 0 ? `only${file}=${row}i` : `v=${file * 1_000 + row}i`;
      return `m,t=a${row % 7} ${field} ${START_NS + BigInt(row) * 1_000_000n}`;
    });
    token = await node.write("d", lines.join("\n"));
  }
  return token;
}

/** Resolves when all rows are in one compacted file, and the files that it replaced are gone. */
async function expectCompacted(node: TestNode, config: AzureConfig): Promise<void> {
  await using store = await openAzureStore(config, PORTS);
  const text = "SELECT parquet_file_count AS files FROM system.compacted_data";
  await eventually(
    async () => {
      const [row] = await node.rows("d", text);
      const replaced = await store.list("host01/data/");
      return row?.["files"] === 1 && replaced.length === 0 ? true : undefined;
    },
    { what: "one compacted file alone", withinMs: WITHIN_MS },
  );
}
