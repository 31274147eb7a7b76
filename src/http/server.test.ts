import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { suite, test } from "node:test";
import { DbError, isKind } from "#base/errors.ts";
import { type Log, silentLog } from "#ports/log.ts";
import {
  type Call,
  CLUSTER_SECRET,
  IDENTITY,
  openServer,
  send,
  sendRaw,
  signedBy,
  someServices,
} from "#testing/http.ts";
import type { ObservedRequest } from "./options.ts";

const SELECT = "/api/v3/query_sql?db=a&q=x&format=jsonl";

suite("the HTTP server", () => {
  test("answers health and identity while the node starts, and 503 to all else", async () => {
    await using server = await openServer();
    for (const path of ["/health", "/api/v1/health"]) {
      const answer = await send(server.address, { path });
      assert.equal(answer.status, 200);
      assert.equal(answer.body, "OK");
      assert.equal(answer.headers["content-type"], "text/plain; charset=utf-8");
    }
    const identity = await send(server.address, { path: "/api/v3/tidelake/node" });
    const { clusterUuid: _unknownYet, ...known } = IDENTITY;
    assert.deepEqual(JSON.parse(identity.body), known);
    assert.equal(identity.headers["cluster-uuid"], undefined);
    for (const [method, path] of [
      ["GET", "/ready"],
      ["GET", "/ping"],
      ["GET", "/metrics"],
      ["GET", "/nowhere"],
      ["POST", "/write?db=a"],
      ["GET", SELECT],
    ] as const) {
      const answer = await send(server.address, { method, path });
      assert.equal(answer.status, 503);
      assert.equal(answer.headers["retry-after"], "1");
      assert.deepEqual(JSON.parse(answer.body), { error: "the node is starting; try again" });
    }
    server.serve(someServices({ ready: () => Promise.resolve() }));
    assert.equal((await send(server.address, { path: "/ready" })).status, 200);
    const later = await send(server.address, { path: "/api/v3/tidelake/node" });
    assert.deepEqual(JSON.parse(later.body), IDENTITY);
    assert.equal(later.headers["cluster-uuid"], IDENTITY.clusterUuid);
  });

  test("says which program it is", async () => {
    await using server = await openServer({ services: someServices({}) });
    const ids = new Set<unknown>();
    for (const method of ["GET", "POST"]) {
      const answer = await send(server.address, { method, path: "/ping" });
      assert.equal(answer.status, 200);
      assert.deepEqual(JSON.parse(answer.body), {
        product_name: "Tidelake",
        version: "1.2.3",
        revision: "1.2.3",
        process_id: IDENTITY.processId,
      });
      assert.equal(answer.headers["x-influxdb-version"], "1.2.3");
      assert.equal(answer.headers["x-influxdb-build"], "Enterprise");
      assert.match(
        String(answer.headers["request-id"]),
        /^01[0-9a-f]{6}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
      );
      assert.equal(answer.headers["x-request-id"], answer.headers["request-id"]);
      ids.add(answer.headers["request-id"]);
    }
    assert.equal(ids.size, 2);
  });

  test("says it without a body where a client of InfluxDB 1 would take one for an error", async () => {
    await using server = await openServer({ services: someServices({}) });
    const calls: readonly Call[] = [
      { method: "HEAD", path: "/ping" },
      { path: "/ping?wait_for_leader=5s" },
      { path: "/ping", headers: { "user-agent": "InfluxDBClient" } },
      { path: "/ping", headers: { accept: "application/x-msgpack" } },
      { path: "/ping", headers: { accept: "text/plain" } },
    ];
    for (const call of calls) {
      const answer = await send(server.address, call);
      assert.equal(answer.status, 204, JSON.stringify(call));
      assert.equal(answer.body, "");
      assert.equal(answer.headers["x-influxdb-version"], "1.2.3");
    }
    for (const accept of ["*/*", "application/json", "text/html, application/*;q=0.9"]) {
      const answer = await send(server.address, { path: "/ping", headers: { accept } });
      assert.equal(answer.status, 200, accept);
    }
    assert.equal((await send(server.address, { path: "/ping?verbose=true" })).status, 200);
  });

  test("is not ready for the reason that the node gives", async () => {
    for (const [error, status, body] of [
      [new DbError("unavailable", "store_unreachable", "no store"), 503, '{"error":"no store"}'],
      [new DbError("corrupt", "object_torn", "x is torn"), 503, '{"error":"x is torn"}'],
      [new TypeError("a bug"), 500, undefined],
    ] as const) {
      await using server = await openServer({
        services: someServices({ ready: () => Promise.reject(error) }),
      });
      const answer = await send(server.address, { path: "/ready" });
      assert.equal(answer.status, status);
      if (body === undefined) assert.doesNotMatch(answer.body, /a bug/);
      else assert.equal(answer.body, body);
    }
  });

  test("gives the metrics as they are", async () => {
    await using server = await openServer({
      services: someServices({ metrics: () => Promise.resolve("a 1\n") }),
    });
    const answer = await send(server.address, { path: "/metrics" });
    assert.equal(answer.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    assert.equal(answer.body, "a 1\n");
  });

  test("does not wait for what comes of another node's word that the catalog moved", async () => {
    for (const outcome of ["never", "fails"]) {
      let askedCount = 0;
      const refresh = () => {
        askedCount += 1;
        return outcome === "fails"
          ? Promise.reject(new Error("no store"))
          : Promise.withResolvers<void>().promise;
      };
      await using server = await openServer({ services: someServices({ refresh }) });
      const call = { method: "POST", path: "/api/v3/tidelake/refresh" };
      const headers = { authorization: signedBy(CLUSTER_SECRET, call) };
      const answer = await send(server.address, { ...call, headers });
      assert.equal(answer.status, 202);
      assert.equal(askedCount, 1);
    }
  });

  test("finds nothing elsewhere, nor by another method", async () => {
    await using server = await openServer({ services: someServices({}) });
    for (const [method, path] of [
      ["GET", "/"],
      ["GET", "/health/"],
      ["GET", "//health"],
      ["GET", "/HEALTH"],
      ["GET", "/constructor"],
      ["POST", "/health"],
      ["PUT", "/ping"],
      ["GET", "/write?db=a"],
      ["DELETE", "/api/v3/write_lp"],
      ["PATCH", "/api/v3/configure/database"],
    ] as const) {
      const answer = await send(server.address, { method, path });
      assert.equal(answer.status, 404, `${method} ${path}`);
      assert.equal(answer.body, "not found");
      assert.equal(answer.headers["access-control-allow-origin"], undefined);
    }
    assert.equal((await send(server.address, { method: "HEAD", path: "/write" })).status, 404);
  });

  test("takes a URL with its origin, and the query behind it", async () => {
    await using server = await openServer({ services: someServices({}) });
    const { text } = await sendRaw(
      server.address,
      "GET http://host/health?x=1 HTTP/1.1\r\nHost: host\r\nConnection: close\r\n\r\n",
    );
    assert.match(text, /^HTTP\/1.1 200 /);
  });

  test("lets any page ask", async () => {
    await using server = await openServer();
    for (const path of ["/api/v3/write_lp?db=a", "/nowhere"]) {
      const answer = await send(server.address, { method: "OPTIONS", path });
      assert.equal(answer.status, 204);
      assert.equal(answer.headers["access-control-allow-origin"], "*");
      assert.equal(answer.headers["access-control-allow-methods"], "*");
      assert.equal(answer.headers["access-control-allow-headers"], "*");
      assert.equal(answer.headers["access-control-max-age"], "86400");
    }
  });

  test("answers a bug with a sentence that leads to the log, which has the cause", async () => {
    const lines: string[] = [];
    const log: Log = {
      ...silentLog,
      error: (message, fields) => lines.push(`${message} ${JSON.stringify(fields)}`),
    };
    await using server = await openServer({
      log,
      services: someServices({ metrics: () => Promise.reject(new TypeError("deep down")) }),
    });
    const answer = await send(server.address, { path: "/metrics" });
    assert.equal(answer.status, 500);
    const id = /^internal error: the node's log says more under request (\S+)$/.exec(
      answer.body,
    )?.[1];
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? "", /A request failed\..*deep down/);
    assert.ok(id !== undefined && lines[0]?.includes(id));
  });

  test("tells an observer of every request", async () => {
    const seen: ObservedRequest[] = [];
    await using server = await openServer({
      services: someServices({ metrics: () => Promise.reject(new Error("x")) }),
      observe: (request) => seen.push(request),
    });
    for (const path of ["/health", "/nowhere/1?x", "/ping", "/metrics", "/ready/../x"]) {
      await send(server.address, { path });
    }
    assert.deepEqual(
      seen.map(({ method, route, status, outcome }) => [method, route, status, outcome]),
      [
        ["GET", "/health", 200, "ok"],
        ["GET", "unmatched", 404, "client_error"],
        ["GET", "/ping", 200, "ok"],
        ["GET", "/metrics", 500, "server_error"],
        ["GET", "unmatched", 404, "client_error"],
      ],
    );
    assert.deepEqual(
      seen.slice(0, 2).map(({ answerSizeBytes }) => answerSizeBytes),
      [2, 9],
    );
    assert.ok(seen.every(({ durationMs }) => durationMs >= 0 && durationMs < 60_000));
  });

  test("says that an address is taken or is not one", async () => {
    await using server = await openServer();
    const port = Number(server.address.split(":")[1]);
    await assert.rejects(
      openServer({ port }),
      (error) => isKind(error, "unavailable") && error.code === "address_in_use",
    );
    await assert.rejects(
      openServer({ host: "192.0.2.1" }),
      (error) => isKind(error, "invalid") && error.code === "address",
    );
  });

  test("gives up headers that do not end, and lines that are no HTTP", async () => {
    await using server = await openServer({ limits: { headersMsMax: 40, requestMsMax: 80 } });
    const slow = await sendRaw(server.address, "GET /health HTTP/1.1\r\nHost: a\r\n");
    assert.match(slow.text, /^HTTP\/1.1 408 /);
    const odd = await sendRaw(server.address, "what is this\r\n\r\n");
    assert.match(odd.text, /^HTTP\/1.1 400 /);
    const large = await sendRaw(
      server.address,
      `GET /health HTTP/1.1\r\nHost: a\r\nx: ${"x".repeat(20_000)}\r\n\r\n`,
    );
    assert.match(large.text, /^HTTP\/1.1 431 /);
  });

  test("takes no more connections than it may: those that rest longest make room", async () => {
    await using server = await openServer({ limits: { connectionCountMax: 3 } });
    const port = Number(server.address.split(":")[1]);
    const held: Socket[] = [];
    const closed: number[] = [];
    for (let index = 0; index < 6; index++) {
      const socket = connect(port, "127.0.0.1");
      socket.once("close", () => closed.push(index)).on("error", () => undefined);
      held.push(socket);
      await ask(socket);
      // The first asks again and again: it does not rest longest.
      if (index > 0 && held[0] !== undefined) await ask(held[0]);
    }
    assert.equal((await send(server.address, { path: "/health" })).status, 200);
    assert.deepEqual(closed, [1, 2, 3, 4]);
    for (const socket of held) socket.destroy();
  });

  test("takes no more connections than it may: where all have requests that run, a new one goes", async () => {
    const running = Promise.withResolvers<string>();
    const bothRun = Promise.withResolvers<void>();
    let runningCount = 0;
    const metrics = () => {
      runningCount += 1;
      if (runningCount === 2) bothRun.resolve();
      return running.promise;
    };
    await using server = await openServer({
      services: someServices({ metrics }),
      limits: { connectionCountMax: 2 },
    });
    const asked = [1, 2].map(() => send(server.address, { path: "/metrics" }));
    await bothRun.promise;
    await assert.rejects(send(server.address, { path: "/health" }));
    running.resolve("a 1\n");
    for (const { status } of await Promise.all(asked)) assert.equal(status, 200);
    assert.equal((await send(server.address, { path: "/health" })).status, 200);
  });
});

/** Sends one request over `socket`, and waits for its answer. */
async function ask(socket: Socket): Promise<void> {
  socket.write("GET /health HTTP/1.1\r\nHost: a\r\n\r\n");
  await once(socket, "data");
}
