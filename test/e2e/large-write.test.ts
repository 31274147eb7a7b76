/** A file of many requests, written by the command: Ctrl-C, a node that dies, and the commands that go on. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite, test } from "node:test";
import { type Ended, eventually, PROGRAM, REPOSITORY, Sandbox, type TestNode } from "./cluster.ts";

const ROW_COUNT = 250_000;

/** Some 20 MB of lines, each a row of its own; every tenth holds a newline, and one near the end is bad. */
function fileText(): string {
  const lines = Array.from({ length: ROW_COUNT }, (_, index) => {
    const note = index % 10 === 0 ? '"two\nlines"' : '"one line"';
    return `cpu,host=host${index % 100},region=eu usage=${index / 8},count=${index}i,note=${note} ${index + 1}\n`;
  });
  return [...lines.slice(0, -10), "cpu usage=oops\n", ...lines.slice(-10)].join("");
}

async function countOf(node: TestNode): Promise<number> {
  const { status, text } = await node.query("d", "SELECT count(*) AS c FROM cpu");
  return status === 200 ? ((JSON.parse(text) as { c: number }[])[0]?.c ?? 0) : 0;
}

/** The command that `ended` names to go on with. */
function nextCommand({ exitCode, error }: Ended, expected: number): string {
  assert.equal(exitCode, expected, error);
  const command = /\n {2}go on with: (influxdb3 write .*)\n$/.exec(error)?.[1];
  assert.ok(command !== undefined, error);
  return command;
}

suite("a large write", () => {
  test("goes on after Ctrl-C and after the node died, with every row stored once", async () => {
    await using sandbox = await Sandbox.open();
    let node = await sandbox.start();
    const text = fileText();
    const file = join(sandbox.directory, "large file.lp");
    await writeFile(file, text);
    const words = `write --host ${node.url} -d d -p ns --batch-size 64kb --file`.split(" ");
    const env = { PATH: `${join(REPOSITORY, "bin")}:${process.env["PATH"] ?? ""}` };
    const startCommand = (command: string) =>
      sandbox.launchWords(["-c", `exec ${command}`], "", { program: "/bin/sh", env });
    const progress = async () => {
      const count = await countOf(node);
      await eventually(async () => (await countOf(node)) > count || undefined, { what: "rows" });
    };

    const first = sandbox.launchWords([...words, file], "", { program: PROGRAM });
    await progress();
    const interrupted = await first.stop("SIGINT");
    const second = startCommand(nextCommand(interrupted, 130));
    const storedCount = await countOf(node);
    assert.ok(storedCount > 0 && storedCount < ROW_COUNT);

    await progress();
    await node.kill();
    const killed = await second.ended;
    node = await sandbox.start({ bind: new URL(node.url).host });
    const third = await startCommand(nextCommand(killed, 1)).ended;

    const badLine = text.slice(0, text.indexOf("cpu usage=oops")).split("\n").length;
    assert.equal(third.exitCode, 1);
    assert.match(
      third.error,
      new RegExp(`: 1 line was not taken, .*\\n  line ${badLine}: .* \\("cpu usage=oops"\\)\\n$`),
    );
    const [row] = await node.rows(
      "d",
      "SELECT count(*) AS c, count(DISTINCT count) AS d, sum(count) AS s, min(time) AS t FROM cpu",
    );
    assert.deepEqual(row, {
      c: ROW_COUNT,
      d: ROW_COUNT,
      s: (ROW_COUNT * (ROW_COUNT - 1)) / 2,
      t: "1970-01-01T00:00:00.000000001",
    });
    const [newline] = await node.rows("d", "SELECT note FROM cpu WHERE count = 10");
    assert.deepEqual(newline, { note: "two\nlines" });
  });
});
