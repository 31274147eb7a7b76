/** `npm start`: the two-node demo. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { suite, test } from "node:test";
import { promisify } from "node:util";
import { REPOSITORY, Sandbox } from "./cluster.ts";

const DEMO_MS_MAX = 60_000;

suite("npm start", () => {
  test("shows on each node what was written to the other, and leaves nothing behind", async () => {
    await using sandbox = await Sandbox.open();
    const { stdout } = await promisify(execFile)("npm", ["start", "--silent", "--", "--once"], {
      cwd: REPOSITORY,
      env: sandbox.environment(),
      timeout: DEMO_MS_MAX,
    });
    for (const [writer, reader] of [
      ["host01", "host02"],
      ["host02", "host01"],
    ]) {
      assert.match(stdout, new RegExp(`Written to ${writer}`));
      assert.match(stdout, new RegExp(`${reader} answers, \\d+ ms later:\\n\\+--`));
    }
    // npm may leave things of its own there.
    const left = await readdir(sandbox.temporary);
    assert.deepEqual(
      left.filter((name) => name.startsWith("tidelake")),
      [],
    );
  });
});
