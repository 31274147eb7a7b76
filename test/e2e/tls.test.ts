/** Nodes that speak TLS: to clients, to commands and to each other. */
import assert from "node:assert/strict";
import { request } from "node:https";
import { suite, test } from "node:test";
import { connect } from "node:tls";
import { AUTHORITY, AUTHORITY_PATH, CERTIFICATE_PATH, KEY_PATH } from "#testing/tls/files.ts";
import { eventually, Sandbox } from "./cluster.ts";

const TLS = ["--tls-cert", CERTIFICATE_PATH, "--tls-key", KEY_PATH];

interface Answer {
  readonly status: number;
  readonly body: string;
}

/** What `url` answers to who trusts the authority of the tests. */
function ask(url: string, body?: string): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const method = body === undefined ? "GET" : "POST";
  const sent = request(url, { method, ca: AUTHORITY, agent: false }, (answer) => {
    const chunks: Buffer[] = [];
    answer.on("data", (chunk: Buffer) => chunks.push(chunk));
    answer.on("error", reject);
    answer.on("end", () =>
      resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString() }),
    );
  });
  sent.on("error", reject);
  sent.end(body);
  return promise;
}

function query(url: string, text: string): Promise<Answer> {
  return ask(`${url}/api/v3/query_sql?db=d&format=csv&q=${encodeURIComponent(text)}`);
}

suite("with a certificate", () => {
  test("a node speaks TLS alone, and commands that trust it speak to it", async () => {
    await using sandbox = await Sandbox.open();
    const node = await sandbox.start({ more: TLS });
    const url = node.url.replace("http://", "https://");
    assert.match(node.out, /serves https:\/\/127\.0\.0\.1:\d+/);
    assert.equal((await ask(`${url}/health`)).body, "OK");
    assert.equal((await ask(`${url}/api/v3/write_lp?db=d`, "m f=1 1")).status, 204);
    await assert.rejects(fetch(`${node.url}/health`));
    await assert.rejects(fetch(`${url}/health`), "a stranger's certificate is not trusted");
    const words = ["query", "--host", url, "--database", "d", "--format", "csv", "SELECT f FROM m"];
    const trusting = await sandbox.run([...words, "--tls-ca", AUTHORITY_PATH]);
    assert.deepEqual([trusting.exitCode, trusting.out.trim()], [0, "f\n1.0"]);
    const careless = await sandbox.run([...words, "--tls-no-verify"]);
    assert.equal(careless.exitCode, 0);
    const stranger = await sandbox.run(words);
    assert.equal(stranger.exitCode, 1);
    assert.match(stranger.error, /no server answers at https:.*certificate/);
  });

  test("an older TLS than was said is not spoken", async () => {
    await using sandbox = await Sandbox.open();
    const node = await sandbox.start({ more: [...TLS, "--tls-minimum-version", "tls-1.3"] });
    const { port } = new URL(node.url);
    const shake = (maxVersion: "TLSv1.2" | "TLSv1.3") => {
      const { promise, resolve, reject } = Promise.withResolvers<string | null>();
      const options = { port: Number(port), host: "127.0.0.1", ca: AUTHORITY, maxVersion };
      const socket = connect(options, () => {
        resolve(socket.getProtocol());
        socket.destroy();
      });
      socket.on("error", reject);
      return promise;
    };
    assert.equal(await shake("TLSv1.3"), "TLSv1.3");
    await assert.rejects(shake("TLSv1.2"));
  });

  test("nodes call each other over TLS, also before they share a log", async () => {
    await using sandbox = await Sandbox.open();
    const more = [...TLS, "--internode-tls-ca", AUTHORITY_PATH, "--replication-interval", "1h"];
    const first = await sandbox.start({ more });
    const second = await sandbox.start({ nodeId: "host02", mode: "query", more });
    const [writer, reader] = [first, second].map(({ url }) => url.replace("http://", "https://"));
    await ask(`${writer}/api/v3/write_lp?db=d`, "m f=1 1");
    // It looks for writes by itself once an hour: it was told of this one.
    const body = await eventually(
      async () => {
        const answer = await query(reader ?? "", "SELECT f FROM m");
        return answer.status === 200 && answer.body !== "" ? answer.body : undefined;
      },
      { what: "the row on the other node", withinMs: 10_000 },
    );
    assert.equal(body, "f\n1.0\n");
    // A second process with its name is refused: the first was asked, and answered.
    const twin = sandbox.launch({ more });
    const { exitCode, error, out } = await twin.ended;
    assert.equal(exitCode, 1, out + error);
    assert.match(out + error, /a process at https:\/\/127\.0\.0\.1:\d+ runs as node-id host01/);
  });
});
