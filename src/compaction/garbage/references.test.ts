import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { memoryStore } from "#objectstore/memory.ts";
import { logPorts, neverAborted, storeWith } from "#testing/logs.ts";
import { SmallNode } from "#testing/small-node.ts";
import { Adoption } from "../office/adoption.ts";
import { verifyReferences } from "./references.ts";

const signal = neverAborted();

function verify(store = memoryStore(), clusterId = "cluster01") {
  return verifyReferences({ clusterId, ports: logPorts(store, 9), logPrefixOf, signal });
}

function logPrefixOf(nodeId: string): string {
  return `${nodeId}/log/`;
}

/** A node with one file in the manifest and one in its log. */
async function withFiles(store = memoryStore()): Promise<SmallNode> {
  const node = await SmallNode.open({ store });
  const { catalog, manifest } = node;
  const adoption = new Adoption({ catalog, manifest, logs: () => [node.source] });
  for (const time of [1, 2]) {
    await node.write(`m f=1 ${time}`);
    await node.snapshotter.take(signal);
    if (time === 1) await adoption.step(await manifest.takeOver());
  }
  return node;
}

suite("references of records", () => {
  test("are whole where every file is there", async () => {
    await using node = await withFiles();
    assert.deepEqual(await verify(node.store), { namedCount: 2, missing: [], wrongSize: [] });
  });

  test("a file that is gone, and one of another size, are named", async () => {
    await using node = await withFiles();
    const [gone = "", torn = ""] = (await node.store.list("host01/data/")).map(({ key }) => key);
    await node.store.delete(gone);
    await node.store.put(torn, Uint8Array.of(1));
    const report = await verify(node.store);
    assert.deepEqual(report, { namedCount: 2, missing: [gone], wrongSize: [torn] });
  });

  test("what is replaced and deleted while it looks is not missing", async () => {
    await using node = await withFiles();
    const [{ file } = { file: undefined }] = [...node.manifest.state.files];
    assert.ok(file);
    let replaced = false;
    const store = storeWith(node.store, {
      list: async (prefix, options) => {
        if (!replaced && prefix === "host01/data/") {
          replaced = true;
          const office = await node.manifest.takeOver();
          const body = { inputs: [file.key], outputs: [] };
          const needs = { catalog: node.catalog.state.position, manifest: 0 };
          await node.manifest.publish(office, () => ({ kind: "replace", body, needs }));
          await node.store.delete(file.key);
        }
        return node.store.list(prefix, options);
      },
    });
    assert.deepEqual((await verify(store)).missing, []);
    assert.ok(replaced);
  });

  test("of a cluster that is not there cannot be verified", async () => {
    await assert.rejects(verify(memoryStore(), "other"), { code: "cluster_unknown" });
  });
});
