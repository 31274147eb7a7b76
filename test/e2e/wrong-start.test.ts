/** What keeps a node from starting: one clear line, the right exit code, and nothing left behind. */
import assert from "node:assert/strict";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite, test } from "node:test";
import { type Ended, Sandbox } from "./cluster.ts";

/** Fails unless the program ended with `exitCode` and this one line on its standard error. */
function refused(ended: Ended, exitCode: number, line: RegExp): void {
  assert.equal(ended.exitCode, exitCode, ended.error);
  assert.match(ended.error, line);
  assert.equal(ended.error.indexOf("\n"), ended.error.length - 1, "one line");
  assert.equal(ended.out, "");
}

suite("a wrong start", () => {
  const usage: readonly [string, readonly string[], RegExp][] = [
    ["an unknown mode", ["--mode", "ingets"], /unknown mode 'ingets'; possible modes are /],
    ["an unknown option", ["--node-idd", "x"], /^error: unknown option '--node-idd'/],
    [
      "an unknown store",
      ["--object-store", "tape"],
      /possible values are memory, memory-throttled, file, s3, google, azure/,
    ],
    ["a port that is none", ["--http-bind", "127.0.0.1:port"], /a port is a number/],
    ["a size that is none", ["--snapshot-size", "much"], /--snapshot-size/],
    ["a node-id with a slash", ["--node-id", "a/b"], /invalid value 'a\/b' for '--node-id/],
    ["words that are no option", ["host02"], /too many arguments|unexpected|host02/],
  ];
  for (const [what, words, line] of usage) {
    test(`${what} is a usage error`, async () => {
      await using sandbox = await Sandbox.open();
      refused(await sandbox.run([...sandbox.serveWords(), ...words]), 2, line);
      assert.deepEqual(await readdir(sandbox.directory), ["home", "tmp"]);
    });
  }

  test("an unknown command is a usage error", async () => {
    await using sandbox = await Sandbox.open();
    refused(await sandbox.run(["sevre"]), 2, /^error: unknown command 'sevre'/);
    assert.deepEqual(await readdir(sandbox.home), []);
  });

  test("the cluster-id is not the node-id", async () => {
    await using sandbox = await Sandbox.open();
    const ended = await sandbox.run(sandbox.serveWords({ nodeId: "cluster01" }));
    refused(ended, 1, /^Serve command failed: cluster-id cannot match any node-id in the cluster/);
    assert.deepEqual(await readdir(sandbox.directory), ["home", "tmp"]);
  });

  test("the cluster-id is not another node's id either", async () => {
    await using sandbox = await Sandbox.open();
    const other = await sandbox.start({ nodeId: "host01" });
    await other.stop();
    const before = await sandbox.objects();
    const words = sandbox
      .serveWords({ nodeId: "host02" })
      .map((word) => (word === "cluster01" ? "host01" : word));
    const ended = await sandbox.run(words);
    refused(ended, 1, /^Serve command failed: cluster-id cannot match any node-id in the cluster/);
    assert.deepEqual(await sandbox.objects(), before);
    assert.deepEqual(await readdir(sandbox.temporary), []);
  });

  test("a node-id is not another cluster's id, nor that of another cluster's node", async () => {
    await using sandbox = await Sandbox.open();
    const other = await sandbox.start({ nodeId: "host01" });
    await other.stop();
    const before = await sandbox.objects();
    const cases: readonly [string, string, RegExp][] = [
      ["cluster01", "cluster02", /node-id cluster01 is the cluster-id of a cluster in this/],
      ["host01", "cluster02", /a log of a node host01 that cluster cluster02 does not know/],
    ];
    for (const [nodeId, clusterId, line] of cases) {
      const words = sandbox.serveWords({ nodeId: "NODE" });
      words.splice(words.indexOf("cluster01"), 1, clusterId);
      words.splice(words.indexOf("NODE"), 1, nodeId);
      refused(await sandbox.run(words), 1, line);
    }
    assert.deepEqual(await sandbox.objects(), before);
  });

  const folders: readonly [string, (sandbox: Sandbox) => string, RegExp][] = [
    ["lies below a file", ({ directory }) => join(directory, "file/store"), /a file stands where/],
    ["is a file", ({ directory }) => join(directory, "file"), /a file stands where a folder/],
    ["cannot be made", () => "/proc/tidelake", /cannot be used: no folder can be made there/],
  ];
  for (const [what, folder, line] of folders) {
    test(`a data folder that ${what} is named`, async () => {
      await using sandbox = await Sandbox.open();
      await writeFile(join(sandbox.directory, "file"), "");
      const ended = await sandbox.run(sandbox.serveWords({ store: folder(sandbox) }));
      refused(ended, 1, line);
      assert.ok(ended.error.includes(folder(sandbox)), ended.error);
      assert.deepEqual(await readdir(sandbox.temporary), []);
    });
  }

  test("an address that is taken is named, and the store stays as it was", async () => {
    await using sandbox = await Sandbox.open();
    const first = await sandbox.start({ nodeId: "host01", mode: "ingest,query" });
    const before = await sandbox.objects();
    const bind = first.url.slice("http://".length);
    const ended = await sandbox.run(sandbox.serveWords({ nodeId: "host02", bind }));
    refused(ended, 1, new RegExp(`^Serve command failed: .*${bind} is in use`));
    assert.deepEqual(await sandbox.objects(), before);
    await first.stop();
    assert.deepEqual(await readdir(sandbox.temporary), []);
  });

  test("a second process with the node-id of one that answers is refused", async () => {
    await using sandbox = await Sandbox.open();
    const first = await sandbox.start({ nodeId: "host01", mode: "ingest,query" });
    const before = await sandbox.objects();
    const ended = await sandbox.run(sandbox.serveWords({ nodeId: "host01" }));
    refused(ended, 1, /a process at 127\.0\.0\.1:\d+ runs as node-id host01 of cluster cluster01/);
    assert.deepEqual(await sandbox.objects(), before);
    await first.write("d", "m v=1i");
    assert.deepEqual(await first.rows("d", "SELECT v FROM m"), [{ v: 1 }]);
    await first.stop();
    assert.deepEqual(await readdir(sandbox.temporary), []);
  });

  test("a folder for temporary files that is not there is named", async () => {
    await using sandbox = await Sandbox.open();
    const env = { TMPDIR: join(sandbox.directory, "none") };
    const ended = await sandbox.run(sandbox.serveWords(), { env });
    refused(ended, 1, /^Serve command failed: .*none/);
  });

  test("a listener file that cannot be written is named", async () => {
    await using sandbox = await Sandbox.open();
    await mkdir(join(sandbox.directory, "folder"));
    const words = ["--tcp-listener-file-path", join(sandbox.directory, "folder")];
    const ended = await sandbox.run([...sandbox.serveWords(), ...words]);
    assert.equal(ended.exitCode, 1);
    assert.match(ended.error, /^Serve command failed: .*folder/);
    assert.deepEqual(await readdir(sandbox.temporary), []);
  });
});
