/** Tokens: nodes that ask for them, and who gets in. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { suite, test } from "node:test";
import { eventually, Sandbox, type TestNode } from "./cluster.ts";

const NO_TOKEN = { INFLUXDB3_AUTH_TOKEN: "" };

/** Two nodes that ask for tokens. */
async function pair(sandbox: Sandbox, more: readonly string[] = []) {
  const one = await sandbox.start({ nodeId: "host01", auth: true, more });
  const two = await sandbox.start({ nodeId: "host02", auth: true, more });
  return [one, two] as const;
}

/** Makes a token with the program. */
async function createToken(sandbox: Sandbox, node: TestNode, ...words: readonly string[]) {
  const options = ["--admin", "--format", "json", "--host", node.url];
  const ended = await sandbox.run(["create", "token", ...options, ...words], { input: "yes\n" });
  assert.equal(ended.exitCode, 0, ended.error);
  return (JSON.parse(ended.out) as { token: string }).token;
}

function at(node: TestNode): readonly string[] {
  return ["--host", node.url];
}

async function statusOf(node: TestNode, token?: string): Promise<number> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return (await node.post("/ping", "", headers)).status;
}

suite("tokens", () => {
  test("a node without one refuses everybody, and the first that is made is good on every node", async () => {
    await using sandbox = await Sandbox.open();
    const [one, two] = await pair(sandbox);
    for (const node of [one, two]) assert.equal(await statusOf(node), 401);
    const refused = await sandbox.run(["show", "nodes", "--host", one.url]);
    assert.equal(refused.exitCode, 1);
    assert.match(refused.error, /^Show command failed: server responded with error \[401 Unauth/);

    const token = await createToken(sandbox, one);
    for (const node of [two, one]) assert.equal(await statusOf(node, token), 200);
    const second = await sandbox.run(["create", "token", "--admin", "--host", two.url]);
    assert.equal(second.exitCode, 1);
    assert.match(second.error, /token name already exists, _admin/);

    const env = { INFLUXDB3_AUTH_TOKEN: token, INFLUXDB3_DATABASE_NAME: "d" };
    const commands: readonly (readonly string[])[] = [
      ["create", "database", "d", ...at(one)],
      ["write", "m,t=a v=1i 1735689600000000001", ...at(one)],
      ["show", "databases", ...at(two)],
      ["show", "tokens", ...at(two)],
      ["show", "nodes", ...at(two)],
    ];
    for (const words of commands) {
      const ended = await sandbox.run(words, { env });
      assert.equal(ended.exitCode, 0, `${words.join(" ")}: ${ended.error}`);
    }
    // The nodes go on telling each other of writes: their calls prove themselves.
    const words = ["query", "SELECT v FROM m", "--format", "csv", ...at(two)];
    await eventually(
      async () => ((await sandbox.run(words, { env })).out === "v\n1\n" ? true : undefined),
      { what: "the row on the other node" },
    );
    assert.equal((await one.post("/api/v3/tidelake/refresh", "")).status, 401);
    const denied = await sandbox.run(words, { env: { ...env, ...NO_TOKEN } });
    assert.match(denied.error, /401/);
  });

  test("a write is pushed to a node that asks for tokens", async () => {
    await using sandbox = await Sandbox.open();
    const [one, two] = await pair(sandbox, ["--replication-interval", "60s"]);
    const token = await createToken(sandbox, one);
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const seen = async (count: number) => {
      const body = JSON.stringify({ db: "d", q: "SELECT count(*) AS n FROM m", format: "csv" });
      const { text } = await two.post("/api/v3/query_sql", body, headers);
      return text === `n\n${count}\n` ? true : undefined;
    };
    for (let count = 1; count <= 5; count++) {
      const path = "/api/v3/write_lp?db=d";
      assert.equal((await one.post(path, `m v=1i ${count}000000000`, headers)).status, 204);
      await eventually(() => seen(count), { what: "the row on the other node", withinMs: 5_000 });
    }
  });

  test("of two nodes asked for the first token at once, one gives it", async () => {
    await using sandbox = await Sandbox.open();
    const nodes = await pair(sandbox);
    const path = "/api/v3/configure/token/admin";
    const answers = await Promise.all(
      [...nodes, ...nodes, ...nodes].map((node) => node.post(path, "")),
    );
    const statuses = answers.map(({ status }) => status).toSorted((left, right) => left - right);
    assert.deepEqual(statuses, [201, 409, 409, 409, 409, 409]);
    const made = answers.find(({ status }) => status === 201);
    const { token } = JSON.parse(made?.text ?? "{}") as { token: string };
    for (const node of nodes) assert.equal(await statusOf(node, token), 200);
  });

  test("a deleted, a replaced and an expired token are refused on every node", async () => {
    await using sandbox = await Sandbox.open();
    const [one, two] = await pair(sandbox, ["--catalog-sync-interval", "60s"]);
    const operator = await createToken(sandbox, one);
    const by = ["--token", operator];
    const named = await createToken(sandbox, one, "--name", "ci", ...by);
    const short = await createToken(sandbox, one, "--name", "short", "--expiry", "6s", ...by);
    for (const token of [named, short]) assert.equal(await statusOf(two, token), 200);

    const words = ["delete", "token", "--token-name", "ci", "-y", "--host", one.url, ...by];
    const deleted = await sandbox.run(words);
    assert.equal(deleted.out, 'Token "ci" deleted successfully\n', deleted.error);
    assert.equal(await statusOf(one, named), 401);
    const ends = (token: string, what: string) =>
      eventually(async () => ((await statusOf(two, token)) === 401 ? true : undefined), {
        what: `${what} on the other node`,
      });
    await ends(named, "the end of a deleted token");
    await ends(short, "the end of a token's time");

    const replaced = await createToken(sandbox, two, "--regenerate", ...by);
    assert.equal(await statusOf(two, operator), 401);
    assert.equal(await statusOf(one, replaced), 200);
    await eventually(async () => ((await statusOf(one, operator)) === 401 ? true : undefined), {
      what: "the end of the replaced token on the other node",
    });
    // Restarted nodes know what the catalog says.
    await one.stop();
    const again = await sandbox.start({ nodeId: "host01", auth: true });
    assert.equal(await statusOf(again, replaced), 200);
    assert.equal(await statusOf(again, named), 401);
  });

  test("health, ping and metrics are open where they are named, and nothing else", async () => {
    await using sandbox = await Sandbox.open();
    const node = await sandbox.start({ auth: true, more: ["--disable-authz", "health,metrics"] });
    for (const path of ["/health", "/ready", "/metrics"])
      assert.equal((await node.get(path)).status, 200, path);
    for (const path of ["/ping", "/api/v3/query_sql?db=a&q=b"])
      assert.equal((await node.get(path)).status, 401, path);
  });

  test("a token made offline is the operator's of a new cluster, and of no other", async () => {
    await using sandbox = await Sandbox.open();
    const files = ["first.json", "second.json"].map((name) => join(sandbox.directory, name));
    const [first = "", second = ""] = files;
    for (const file of files) {
      const words = `create token --admin --offline --output-file ${file} --expiry 9d`.split(" ");
      assert.equal((await sandbox.run(words)).exitCode, 0);
    }
    const tokens: string[] = [];
    for (const file of files)
      tokens.push((JSON.parse(await readFile(file, "utf8")) as { token: string }).token);
    const one = await sandbox.start({ auth: true, more: ["--admin-token-file", first] });
    assert.equal(await statusOf(one, tokens[0]), 200);
    assert.equal((await one.post("/api/v3/configure/token/admin", "")).status, 409);
    const more = ["--admin-token-file", second];
    const two = await sandbox.start({ nodeId: "host02", auth: true, more });
    assert.equal(await statusOf(two, tokens[0]), 200);
    assert.equal(await statusOf(two, tokens[1]), 401);
    for (const node of [one, two])
      for (const token of tokens) assert.ok(!node.out.includes(token), "no token is logged");
    const { error } = await one.stop();
    assert.match(error, /operator's token '_admin' expires in 9 days, on .*--regenerate/);
  });

  test("a lost operator's token is replaced at an address for that, once", async () => {
    await using sandbox = await Sandbox.open();
    const file = join(sandbox.directory, "recovery");
    const bind = ["--admin-token-recovery-http-bind", "127.0.0.1:0"];
    const more = [...bind, "--admin-token-recovery-tcp-listener-file-path", file];
    const node = await sandbox.start({ auth: true, more });
    const lost = await createToken(sandbox, node);
    const url = `http://${await readFile(file, "utf8")}`;
    assert.equal((await fetch(`${url}/ping`)).status, 404);
    const words = ["create", "token", "--admin", "--regenerate", "--format", "json"];
    const made = await sandbox.run([...words, "--host", url], { input: "yes\n" });
    assert.equal(made.exitCode, 0, made.error);
    const { token } = JSON.parse(made.out) as { token: string };
    assert.equal(await statusOf(node, token), 200);
    assert.equal(await statusOf(node, lost), 401);
    const again = await sandbox.run([...words, "--host", url], { input: "yes\n" });
    assert.match(again.error, /no server answers/);
    assert.equal((await node.stop()).exitCode, 0);
  });

  test("no token is logged, nor stored", async () => {
    await using sandbox = await Sandbox.open();
    const node = await sandbox.start({ auth: true, more: ["--log-filter", "trace"] });
    const token = await createToken(sandbox, node);
    const wrong = `apiv3_${"wrong".repeat(9)}`;
    assert.equal(await statusOf(node, wrong), 401);
    assert.equal((await node.post(`/write?db=d&p=${token}`, "m v=1")).status, 204);
    assert.equal((await node.post(`/write?db=d&p=${wrong}`, "m v=1")).status, 401);
    const { out, error } = await node.stop();
    for (const key of await sandbox.objects()) {
      const bytes = await readFile(join(sandbox.store, key));
      for (const text of [token, wrong]) assert.ok(!bytes.includes(text), key);
    }
    for (const text of [token, wrong]) assert.ok(!`${out}${error}`.includes(text));
  });
});
