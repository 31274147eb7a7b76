import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import { isKind } from "#base/errors.ts";
import { runDemo } from "./demo.ts";

suite("the demo", () => {
  const folder = mkdtempSync(join(tmpdir(), "tidelake-demo-test-"));
  after(() => rmSync(folder, { recursive: true }));
  const program = join(folder, "program");
  const fakeNode = fileURLToPath(new URL("testdata/fake-node.ts", import.meta.url));
  writeFileSync(program, `#!/bin/sh\nexec "${process.execPath}" "${fakeNode}" "$@"\n`, {
    mode: 0o755,
  });

  async function run(directory: string | undefined): Promise<string> {
    const lines: string[] = [];
    await runDemo({
      program,
      directory,
      once: true,
      stop: new AbortController().signal,
      print: (line) => lines.push(line),
    });
    return lines.join("\n");
  }

  test("shows on each node what was written to the other, and removes its folder", async () => {
    const text = await run(undefined);
    assert.match(
      text,
      /Written to host01.*\n {2}cpu,host=.*\nhost02 answers, \d+ ms later:\n\+ a table/,
    );
    assert.match(
      text,
      /Written to host02.*\n {2}cpu,host=.*\nhost01 answers, \d+ ms later:\n\+ a table/,
    );
    const [, directory = ""] = /on the folder (\S+), which/.exec(text) ?? [];
    assert.ok(directory !== "" && !existsSync(directory));
  });

  test("names a node that ends by itself, with its last lines", async () => {
    const faulty = mkdtempSync(join(folder, "faulty-"));
    writeFileSync(join(faulty, "fault"), "");
    await assert.rejects(run(faulty), (error) => {
      assert.ok(isKind(error, "unavailable"));
      assert.equal(error.code, "demo_node_ended");
      assert.match(error.message, /^host0[12] ended by itself \(exit 3\).*\n.*this is the fault/);
      return true;
    });
    assert.ok(existsSync(faulty), "a folder of the user's own stays");
  });

  test("stops when it is asked to", async () => {
    const stop = new AbortController();
    const lines: string[] = [];
    await runDemo({
      program,
      directory: undefined,
      once: false,
      stop: stop.signal,
      print: (line) => {
        lines.push(line);
        if (line.includes("answers at")) stop.abort();
      },
    });
    assert.equal(lines.at(-1), "Stopping both nodes");
  });
});
