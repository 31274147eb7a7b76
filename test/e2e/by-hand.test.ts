/** The commands of the README, typed by hand. */
import assert from "node:assert/strict";
import { mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { eventually, PROGRAM, REPOSITORY, Sandbox, type TestNode } from "./cluster.ts";

function at(node: TestNode): readonly string[] {
  return ["--host", node.url];
}

suite("by hand", () => {
  test("two nodes on one folder: what is written to one is read from the other", async () => {
    await using sandbox = await Sandbox.open();
    const one = await sandbox.start({ nodeId: "host01", mode: "ingest,query,compact" });
    const two = await sandbox.start({ nodeId: "host02", mode: "ingest,query" });
    const created = await sandbox.run(["create", "database", "sensors", ...at(one)]);
    assert.deepEqual(created, {
      exitCode: 0,
      out: 'Database "sensors" created successfully\n',
      error: "",
    });
    const line = "home,room=Kitchen temp=21.5,hum=35i 1735689600";
    const written = await sandbox.run(["write", "--database", "sensors", ...at(one), line]);
    assert.deepEqual(written, { exitCode: 0, out: "success\n", error: "" });

    const select = "SELECT * FROM home WHERE time > now() - INTERVAL '10 years'";
    const ask = ["query", "--database", "sensors", select];
    const expected = `+------+---------+------+---------------------+
| hum  | room    | temp | time                |
+------+---------+------+---------------------+
| 35   | Kitchen | 21.5 | 2025-01-01T00:00:00 |
+------+---------+------+---------------------+
`.replaceAll("------+-", "-----+-");
    const seen = await eventually(
      async () => {
        const answer = await sandbox.run([...ask, ...at(two)]);
        return answer.exitCode === 0 && answer.out.includes("Kitchen") ? answer : undefined;
      },
      { what: "the row on the other node" },
    );
    assert.equal(seen.out.replaceAll(/[-\s]+/g, ""), expected.replaceAll(/[-\s]+/g, ""));
    assert.equal((await sandbox.run([...ask, ...at(one)])).out, seen.out);

    const nodes = await sandbox.run(["show", "nodes", ...at(two)]);
    assert.match(nodes.out, /\| host01 .*\| running/);
    assert.match(nodes.out, /\| host02 .*\| running/);
  });

  test("a script may be piped in, read from a file, and answered in any format", async () => {
    await using sandbox = await Sandbox.open();
    const node = await sandbox.start();
    const env = { INFLUXDB3_HOST_URL: node.url, INFLUXDB3_DATABASE_NAME: "d" };
    const input = "m,t=a v=1i 1735689600000000001\nm,t=b v=2i 1735689600000000002\n";
    assert.equal((await sandbox.run(["write"], { env, input })).out, "success\n");
    await writeFile(join(sandbox.directory, "q.sql"), "SELECT t, v FROM m ORDER BY time");
    const formats: readonly [string, string][] = [
      ["csv", "t,v\na,1\nb,2\n"],
      ["jsonl", '{"t":"a","v":1}\n{"t":"b","v":2}\n'],
      ["json", '[{"t":"a","v":1},{"t":"b","v":2}]\n'],
    ];
    for (const [format, expected] of formats) {
      const answer = await sandbox.run(["query", "--file", "q.sql", "--format", format], { env });
      assert.deepEqual(answer, { exitCode: 0, out: expected, error: "" });
    }
    const words = ["query", "--language", "influxql", "SELECT sum(v) FROM m GROUP BY t"];
    const summed = await sandbox.run([...words, "--format", "csv"], { env });
    assert.equal(
      summed.out,
      "iox::measurement,time,t,sum\nm,1970-01-01T00:00:00,a,1\nm,1970-01-01T00:00:00,b,2\n",
    );
  });

  test("quick start needs no words, and says what it made up", async () => {
    await using sandbox = await Sandbox.open();
    const listener = join(sandbox.directory, "listener");
    const bind = ["--http-bind", "127.0.0.1:0", "--without-auth"];
    const words = [...bind, "--tcp-listener-file-path", listener];
    const node = sandbox.launchWords(words, listener);
    await node.serving();
    await node.write("d", "m v=1");
    const { exitCode, out, error } = await node.stop();
    assert.equal(exitCode, 0);
    const host = hostname();
    assert.ok(out.includes(`Using auto-generated node id: ${host}-node.`), out);
    assert.ok(out.includes(`Using auto-generated cluster id: ${host}-cluster.`), out);
    const folder = join(sandbox.home, ".tidelake");
    assert.ok(out.includes(`Using the folder ${folder} as object store.`), out);
    assert.equal(error, "");
    assert.deepEqual(await readdir(folder), [".tmp~", `${host}-cluster`, `${host}-node`]);
  });

  for (const name of ["tidelake", "influxdb3", "influxd"]) {
    test(`bin/${name} starts the program, from any folder`, async () => {
      await using sandbox = await Sandbox.open();
      const options = { program: join(REPOSITORY, "bin", name), cwd: "/" };
      const { exitCode, out } = await sandbox.run(["--version"], options);
      assert.equal(exitCode, 0);
      assert.ok(out.startsWith(`${name} `), out);
    });
  }

  test("a link to the program is the program, and a relative data folder is the caller's", async () => {
    await using sandbox = await Sandbox.open();
    const bin = join(sandbox.directory, "bin");
    const cwd = join(sandbox.directory, "a folder");
    for (const folder of [bin, cwd]) await mkdir(folder);
    await symlink(PROGRAM, join(bin, "first"));
    await symlink("first", join(bin, "influxdb3"));
    const listener = join(sandbox.directory, "listener");
    const words = sandbox.serveWords({ store: "./store" });
    const node = sandbox.launchWords([...words, "--tcp-listener-file-path", listener], listener, {
      program: join(bin, "influxdb3"),
      cwd,
    });
    await node.serving();
    assert.deepEqual(await readdir(cwd), ["store"]);
  });
});
