import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, suite, test } from "node:test";
import { type Run, type RunOptions, run } from "../testing/run.ts";

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** What the server says to whom: its name, to the order, and to each question for the state, the last one again and again. */
interface Script {
  readonly nodeId?: string;
  readonly order?: Answer;
  readonly states?: readonly (string | Answer)[];
}

const TAKEN: Answer = { status: 200, text: "" };
/** No status: the server ends. */
const HANG_UP = 0;

suite("commands about nodes", () => {
  let script: Script = {};
  let asked: string[] = [];
  let questionCount = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks).toString();
      const { status, text } = answerTo(request.url ?? "", body);
      if (status === HANG_UP) return void response.destroy();
      response.writeHead(status, { connection: "close" }).end(text);
    });
  });
  let host = "";
  before(async () => {
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    assert.ok(typeof address === "object" && address !== null);
    host = `127.0.0.1:${address.port}`;
  });
  after(() => void server.close());

  function answerTo(url: string, body: string): Answer {
    if (url.endsWith("/tidelake/node"))
      return { status: 200, text: JSON.stringify({ nodeId: script.nodeId ?? "host09" }) };
    if (url.includes("/configure/node/")) {
      asked.push(`${url.split("/").at(-1)} ${body}`);
      return script.order ?? TAKEN;
    }
    const states = script.states ?? ["stopped"];
    const state = states[Math.min(questionCount++, states.length - 1)];
    if (typeof state === "object") return state;
    return { status: 200, text: state === undefined ? "[]" : JSON.stringify([{ state }]) };
  }

  async function call(words: string, some: Script = {}, options?: RunOptions): Promise<Run> {
    script = some;
    asked = [];
    questionCount = 0;
    return run([...words.split(" "), "--host", host], options);
  }

  const STOP = "stop node --node-id host01 --no-confirm";

  test("stop waits until the node has stopped", async () => {
    const result = await call(STOP, {
      states: ["stopping", "stopping", { status: 503, text: "" }, "stopped"],
    });
    assert.deepEqual(result, { exitCode: 0, out: 'Node "host01" stopped\n', error: "" });
    assert.deepEqual(asked, ['stop {"node_id":"host01"}']);
    assert.equal(questionCount, 4);
  });

  test("stop is content with a node that is gone, or was stopped before", async () => {
    assert.equal((await call(STOP, { states: [{ status: 200, text: "[]" }] })).exitCode, 0);
    const text = "tried to stop a node (host01) that is already stopped";
    const earlier = await call(STOP, { order: { status: 400, text } });
    assert.deepEqual(earlier, {
      exitCode: 0,
      out: 'Node "host01" is already stopped\n',
      error: "",
    });
    assert.equal(questionCount, 0);
  });

  test("stop gives up in time, with the last state", async () => {
    const result = await call(`${STOP} --timeout 20ms`, { states: ["stopping"] });
    assert.equal(result.exitCode, 1);
    assert.equal(
      result.error,
      'Stop command failed: node "host01" has not stopped: 0.02 s are over; its last state is stopping\n',
    );
  });

  test("stop does not wait for a node that was started again", async () => {
    const result = await call(STOP, { states: ["stopping", "running"] });
    assert.match(result.error, /node "host01" has not stopped: it was started again\n$/);
    assert.equal(questionCount, 2);
  });

  test("stop --no-wait asks and goes", async () => {
    const result = await call(`${STOP} --no-wait`);
    assert.equal(result.out, 'Node "host01" is stopping\n');
    assert.equal(questionCount, 0);
  });

  test("stop of the node that was asked counts its end as an end", async () => {
    const states = [
      { status: 503, text: "" },
      { status: HANG_UP, text: "" },
    ];
    const result = await call(STOP, { nodeId: "host01", states });
    assert.equal(result.exitCode, 0, result.error);
    assert.match(result.out, /^Node "host01" ended; 'show nodes' on another node tells/);
  });

  test("the old name of --no-confirm is taken with a warning of no harm", async () => {
    const result = await call("stop node --node-id host01 --force");
    assert.equal(result.exitCode, 0, result.error);
    assert.equal(result.out, 'Node "host01" stopped\n');
  });

  for (const [command, hint] of [
    ["stop", ""],
    ["remove", "; stop it first: 'influxdb3 stop node --node-id host01'"],
  ] as const) {
    test(`${command} asks before it does anything`, async () => {
      const refused = await call(`${command} node --node-id host01`, {}, { input: "no\n" });
      assert.equal(refused.exitCode, 1);
      assert.match(refused.error, new RegExp(`Are you sure you want to ${command} node "host01"`));
      assert.deepEqual(asked, []);
      const agreed = await call(`${command} node --node-id host01`, {}, { input: "yes\n" });
      assert.equal(agreed.exitCode, 0, agreed.error);
      assert.equal(asked.length, 1);
    });

    test(`${command} tells what the server refuses, and wants a node`, async () => {
      const order = { status: 409, text: "node 'host01' is not fully stopped" };
      const result = await call(`${command} node --node-id host01 --no-confirm`, { order });
      const words = `[409 Conflict]: node 'host01' is not fully stopped${hint}\n`;
      assert.ok(result.error.endsWith(words), result.error);
      assert.equal((await call(`${command} node --no-confirm`)).exitCode, 2);
    });
  }

  test("remove asks once, and passes on what has no effect", async () => {
    const result = await call("remove node --node-id host01 --no-confirm --force-finalize");
    assert.deepEqual(result, { exitCode: 0, out: 'Node "host01" is being removed\n', error: "" });
    assert.deepEqual(asked, ['remove {"node_id":"host01","force_finalize":true}']);
  });
});
