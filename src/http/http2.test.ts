import assert from "node:assert/strict";
import { once } from "node:events";
import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from "node:http2";
import { request as tlsRequest } from "node:https";
import { connect as connectSocket } from "node:net";
import { suite, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { utf8 } from "#base/bytes.ts";
import { openServer, send, someServices } from "#testing/http.ts";
import { AUTHORITY, CERTIFICATE, KEY } from "#testing/tls/files.ts";
import type { GrpcService } from "./grpc.ts";
import type { HttpServerOptions } from "./options.ts";
import type { HttpServer } from "./server.ts";

interface Answer {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

async function ask(
  session: ClientHttp2Session,
  headers: Readonly<Record<string, string>>,
  body?: string | Uint8Array,
): Promise<Answer> {
  const stream = session.request(headers);
  stream.end(body);
  let said: IncomingHttpHeaders = {};
  stream.on("response", (more) => (said = more));
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  await once(stream, "end");
  return { headers: said, body: Buffer.concat(chunks).toString() };
}

async function withSession(
  server: HttpServer,
  work: (session: ClientHttp2Session) => Promise<void>,
): Promise<void> {
  const session = connect(`http://${server.address}`);
  try {
    await work(session);
  } finally {
    session.destroy();
  }
}

const TAKING = someServices({
  write: async ({ body }) => {
    assert.ok(body.length > 0);
    return { token: undefined, rejected: [], rejectedCount: 0, limitMet: false };
  },
});

function open(options: Partial<HttpServerOptions> = {}): Promise<HttpServer> {
  return openServer({ services: TAKING, requestSizeMax: 100_000, ...options });
}

const WRITE = { ":method": "POST", ":path": "/api/v3/write_lp?db=a" };
const CALL = { ":method": "POST", ":path": "/a/B", "content-type": "application/grpc" };

/** Rows that end in an error. */
async function* brokenBatches() {
  yield { rowCount: 1, columns: [{ type: "string", values: ["x".repeat(100_000)] } as const] };
  throw new Error("broken");
}

suite("over HTTP/2", () => {
  test("requests are answered as over HTTP/1.1, many at once, on the same port", async () => {
    const routes: string[] = [];
    await using server = await open({
      observe: ({ route, status }) => routes.push(`${route} ${status}`),
    });
    await withSession(server, async (session) => {
      const answers = await Promise.all([
        ask(session, { ":path": "/health" }),
        ask(session, WRITE, "m v=1".repeat(10_000)),
        ask(session, WRITE, Buffer.alloc(100_001)),
        ask(session, { ":path": "/none" }),
      ]);
      assert.deepEqual(
        answers.map(({ headers }) => headers[":status"]),
        [200, 204, 413, 404],
      );
      assert.equal(answers[0].body, "OK");
    });
    assert.equal((await send(server.address, { path: "/health" })).body, "OK");
    assert.deepEqual(routes.toSorted(), [
      "/api/v3/write_lp 204",
      "/api/v3/write_lp 413",
      "/health 200",
      "/health 200",
      "unmatched 404",
    ]);
  });

  test("a body that a client announces is asked for only when it is wanted", async () => {
    await using server = await open();
    await withSession(server, async (session) => {
      for (const [path, asked, status] of [
        [WRITE[":path"], true, 204],
        ["/none", false, 404],
      ] as const) {
        let told = false;
        const stream = session.request({ ...WRITE, ":path": path, expect: "100-continue" });
        stream.once("continue", () => (told = true)).once("continue", () => stream.end("m v=1"));
        const [said] = (await once(stream, "response")) as [IncomingHttpHeaders];
        assert.equal(said[":status"], status);
        assert.equal(told, asked);
      }
    });
  });

  test("an answer that breaks off is none", async () => {
    const statuses: number[] = [];
    const fields = [{ name: "a", type: "string" } as const];
    const services = someServices({ query: async () => ({ fields, batches: brokenBatches() }) });
    await using server = await open({ services, observe: ({ status }) => statuses.push(status) });
    await withSession(server, async (session) => {
      const path = "/api/v3/query_sql?db=a&q=b&format=csv";
      await assert.rejects(ask(session, { ":path": path }), /NGHTTP2_INTERNAL_ERROR/);
      assert.equal((await ask(session, { ":path": "/health" })).body, "OK");
    });
    assert.deepEqual(statuses, [500, 200]);
  });

  test("a client that leaves ends what it asked for", async () => {
    const left = Promise.withResolvers<void>();
    const statuses: number[] = [];
    const services = someServices({
      query: async (_request, signal) => {
        await once(signal, "abort");
        left.resolve();
        throw signal.reason;
      },
    });
    await using server = await open({ services, observe: ({ status }) => statuses.push(status) });
    await withSession(server, async (session) => {
      const stream = session.request({ ":path": "/api/v3/query_sql?db=a&q=b" });
      stream.on("error", () => undefined);
      await once(stream, "ready");
      assert.equal((await ask(session, { ":path": "/health" })).body, "OK");
      stream.close();
      await left.promise;
    });
    assert.deepEqual(
      statuses.toSorted((a, b) => a - b),
      [200, 499],
    );
  });

  test("a client whose connection ends has left", async () => {
    const begun = Promise.withResolvers<void>();
    const left = Promise.withResolvers<string>();
    const services = someServices({
      query: async (_request, signal) => {
        begun.resolve();
        await once(signal, "abort");
        left.resolve("left");
        throw signal.reason;
      },
    });
    await using server = await open({ services, limits: { stopMsMax: 10 } });
    await withSession(server, async (session) => {
      session.request({ ":path": "/api/v3/query_sql?db=a&q=b" }).on("error", () => undefined);
      await begun.promise;
    });
    assert.equal(await Promise.race([left.promise, delay(2_000, "late", { ref: false })]), "left");
  });

  test("calls of gRPC share the memory for bodies, until they are over, and give way where they come slowly", async () => {
    await using server = await open({ limits: { bodiesSizeMax: 100_000, bodySlowMs: 100 } });
    const aborted: string[] = [];
    const grpc: GrpcService = {
      answer: (request, response, claim) => {
        if (request.headers["x-asked"] === "yes") claim.begin();
        claim.hold(80_000);
        response.writeHead(200);
        return { abort: (reason) => void aborted.push(reason.code) };
      },
    };
    server.serve(TAKING, grpc);
    const body = new Uint8Array(50_000).fill(109);
    await withSession(server, async (session) => {
      const waiting = session.request(CALL);
      await once(waiting, "response");
      await delay(110);
      assert.equal((await ask(session, WRITE, body)).headers[":status"], 429);
      waiting.close();
      await once(waiting, "close");
      assert.equal((await ask(session, WRITE, body)).headers[":status"], 204);
      const slow = session.request({ ...CALL, "x-asked": "yes" });
      await once(slow, "response");
      await delay(110);
      assert.equal((await ask(session, WRITE, body)).headers[":status"], 204);
      assert.deepEqual(aborted, ["request_memory"]);
    });
  });

  test("a connection makes room for its slow call of gRPC, not for one that was asked for nothing yet", async () => {
    await using server = await open({ limits: { connectionCountMax: 1, bodySlowMs: 50 } });
    const admitted = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    server.serve(TAKING, {
      answer: (_request, response, claim) => {
        response.writeHead(200);
        void admitted.promise.then(() => claim.begin()).then(asked.resolve);
        return { abort: () => undefined };
      },
    });
    await withSession(server, async (session) => {
      const call = session.request(CALL).on("error", () => undefined);
      await once(call, "response");
      await delay(60);
      await assert.rejects(send(server.address, { path: "/health" }));
      admitted.resolve();
      await asked.promise;
      await assert.rejects(send(server.address, { path: "/health" }));
      assert.ok(!session.destroyed);
      await delay(60);
      const closed = once(session, "close");
      assert.equal((await send(server.address, { path: "/health" })).status, 200);
      await closed;
    });
  });

  test("the first bytes may come one by one, of either version", async () => {
    await using server = await open();
    const speak = async (bytes: Uint8Array, enough: (text: string) => boolean) => {
      const socket = connectSocket(Number(server.address.split(":")[1]), "127.0.0.1").setNoDelay();
      let text = "";
      socket.on("data", (chunk) => (text += chunk.toString("latin1")));
      for (const byte of bytes.subarray(0, 20)) {
        socket.write(Uint8Array.of(byte));
        await new Promise(setImmediate);
      }
      socket.write(bytes.subarray(20));
      while (!enough(text)) await once(socket, "data");
      socket.destroy();
    };
    const settings = Uint8Array.of(0, 0, 0, 4, 0, 0, 0, 0, 0);
    await speak(Buffer.concat([utf8("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), settings]), (text) =>
      text.includes("\0\0\0\x04\x01"),
    );
    await speak(utf8("PROPFIND / HTTP/1.1\r\nHost: a\r\n\r\n"), (text) =>
      /^HTTP\/1.1 404/.test(text),
    );
    await speak(utf8("GET /health HTTP/1.1\r\nHost: a\r\n\r\n"), (text) => text.endsWith("OK"));
  });

  test("a client that says nothing goes, and one that rests makes room for others", async () => {
    const limits = { headersMsMax: 60, bodyStallMsMax: 40, connectionCountMax: 3 };
    await using server = await open({ limits });
    const silent = connectSocket(Number(server.address.split(":")[1]), "127.0.0.1");
    silent.on("error", () => undefined).write("PR");
    await new Promise((resolve) => silent.once("close", resolve));
    const sessions: ClientHttp2Session[] = [];
    for (let i = 0; i < 6; i += 1) {
      const session = connect(`http://${server.address}`);
      sessions.push(session.on("error", () => undefined));
      assert.equal((await ask(session, { ":path": "/health" })).body, "OK");
    }
    assert.ok(sessions.filter(({ destroyed }) => destroyed).length >= 3);
    for (const session of sessions) session.destroy();
  });

  test("a stop lets requests end, and takes no more", async () => {
    const begun = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    const services = someServices({
      query: async () => {
        begun.resolve();
        await go.promise;
        return { fields: [], batches: (async function* () {})() };
      },
    });
    const server = await open({ services });
    await withSession(server, async (session) => {
      const answer = ask(session, { ":path": "/api/v3/query_sql?db=a&q=b" });
      await begun.promise;
      const goaway = once(session, "goaway");
      const stopped = server[Symbol.asyncDispose]();
      await goaway;
      go.resolve();
      assert.equal((await answer).headers[":status"], 200);
      await stopped;
    });
  });

  test("TLS says which version is spoken", async () => {
    await using server = await open({
      tls: { certificate: CERTIFICATE, key: KEY, minVersion: "TLSv1.2" },
    });
    const url = `https://localhost:${server.address.split(":")[1]}`;
    const session = connect(url, { ca: AUTHORITY });
    assert.equal((await ask(session, { ":path": "/health" })).body, "OK");
    session.destroy();
    const { promise, resolve } = Promise.withResolvers<string>();
    tlsRequest(`${url}/health`, { ca: AUTHORITY, agent: false }, (response) => {
      response.resume();
      resolve(`${response.httpVersion} ${response.statusCode}`);
    }).end();
    assert.equal(await promise, "1.1 200");
  });
});
