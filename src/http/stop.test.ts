import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, request as httpRequest, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { suite, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { isKind } from "#base/errors.ts";
import { openServer, send, someServices } from "#testing/http.ts";

const SELECT = "/api/v3/query_sql?db=a&q=x&format=jsonl";

suite("a stop", () => {
  test("waits for the requests that run, and refuses new ones", async () => {
    const started = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<string>();
    const server = await openServer({
      services: someServices({
        metrics: () => {
          started.resolve();
          return gate.promise;
        },
      }),
    });
    const { address } = server;
    const idle = new Agent({ keepAlive: true, maxSockets: 1 });
    const kept = httpRequest(`http://${address}/health`, { agent: idle }).end();
    const [early] = (await once(kept, "response")) as [IncomingMessage];
    await once(early.resume(), "end");
    const running = send(address, { path: "/metrics" });
    await started.promise;
    let stopped = false;
    const stop = (async () => {
      await server[Symbol.asyncDispose]();
      stopped = true;
    })();
    await assert.rejects(send(address, { path: "/health" }), /ECONNREFUSED/);
    assert.equal(stopped, false);
    gate.resolve("done");
    const answer = await running;
    assert.equal(answer.body, "done");
    assert.equal(answer.headers.connection, "close");
    await stop;
    await server[Symbol.asyncDispose]();
    idle.destroy();
  });

  test("answers 503 to a request whose headers end meanwhile", async () => {
    const started = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<string>();
    const server = await openServer({
      services: someServices({
        metrics: () => {
          started.resolve();
          return gate.promise;
        },
      }),
    });
    const socket = connect(Number(server.address.split(":")[1]), "127.0.0.1");
    let received = "";
    socket.on("data", (chunk) => {
      received += chunk.toString();
    });
    socket.write("GET /ping HTTP/1.1\r\n");
    await delay(20);
    const running = send(server.address, { path: "/metrics" });
    await started.promise;
    const stop = server[Symbol.asyncDispose]();
    socket.write("Host: a\r\n\r\n");
    await once(socket, "close");
    assert.match(received, /^HTTP\/1.1 503 /);
    assert.match(received, /the node is stopping/);
    gate.resolve("done");
    assert.equal((await running).body, "done");
    await stop;
  });

  test("cuts off what runs longer than it may wait, and connections that ask nothing", async () => {
    const started = Promise.withResolvers<void>();
    let reason: unknown;
    const server = await openServer({
      limits: { stopMsMax: 30 },
      services: someServices({
        query: (_request, signal) => {
          started.resolve();
          signal.addEventListener("abort", () => {
            reason = signal.reason;
          });
          return Promise.withResolvers<never>().promise;
        },
      }),
    });
    const silent = connect(Number(server.address.split(":")[1]), "127.0.0.1");
    silent.on("error", () => undefined);
    await once(silent, "connect");
    const running = send(server.address, { path: SELECT });
    await started.promise;
    await Promise.all([assert.rejects(running), server[Symbol.asyncDispose]()]);
    assert.ok(isKind(reason, "unavailable") && reason.code === "node_stopping");
    silent.destroy();
  });

  test("cuts off connections whose first bytes do not tell what they speak", async () => {
    for (const said of ["", "PR"]) {
      const server = await openServer();
      const socket = connect(Number(server.address.split(":")[1]), "127.0.0.1");
      socket.on("error", () => undefined).resume();
      await once(socket, "connect");
      socket.write(said);
      await send(server.address, { path: "/health" });
      const stop = server[Symbol.asyncDispose]();
      assert.equal(await Promise.race([stop, delay(2_000, "late", { ref: false })]), undefined);
      if (!socket.closed) await once(socket, "close");
    }
  });

  test("takes no connection that turns out to speak HTTP/2 meanwhile", async () => {
    const started = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<string>();
    const metrics = () => {
      started.resolve();
      return gate.promise;
    };
    const server = await openServer({ services: someServices({ metrics }) });
    const socket = connect(Number(server.address.split(":")[1]), "127.0.0.1");
    socket.on("error", () => undefined);
    let received = "";
    socket.on("data", (chunk) => (received += chunk.toString("latin1")));
    await once(socket, "connect");
    const running = send(server.address, { path: "/metrics" });
    await started.promise;
    const stop = server[Symbol.asyncDispose]();
    const closed = once(socket, "close");
    socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0");
    await delay(50);
    gate.resolve("done");
    await Promise.all([running, stop, closed]);
    assert.equal(received, "");
  });
});
