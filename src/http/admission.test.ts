import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { Action } from "#access/authorize.ts";
import { proveAnswer } from "#access/node-call.ts";
import { memoryStore } from "#objectstore/memory.ts";
import { accessOn, adminOf } from "#testing/access.ts";
import { type Answer, type Call, openServer, send, signedBy, someServices } from "#testing/http.ts";
import { EARLY_ROUTES, ROUTES } from "./router.ts";
import type { HttpServer } from "./server.ts";
import type { HttpServices } from "./services.ts";

const SECRET = "between-nodes";
const UNAUTHENTICATED = '{"error": "the request was not authenticated"}';
const MALFORMED = `{"error": "Authorization header was malformed, the request was not in the form of 'Authorization: <auth-scheme> <token>', supported auth-schemes are Bearer, Token and Basic"}`;
/** Of no service: what an endpoint that was let in to does with a request that says nothing. */
const LET_IN = new Set([200, 202, 204, 400, 404, 405, 409, 415, 500, 501]);

interface Guarded extends AsyncDisposable {
  readonly server: HttpServer;
  /** Texts of the tokens. */
  readonly operator: string;
  readonly admin: string;
  readonly expired: string;
}

/** A server that asks for tokens, and the tokens. */
async function guarded(
  openActions: readonly Action[] = [],
  some: Partial<HttpServices> = {},
): Promise<Guarded> {
  const { access, catalog, clock, tokens } = accessOn(memoryStore());
  await catalog.createCluster({ uuid: "u", secret: SECRET });
  const operator = await tokens.createOperator();
  const by = adminOf(operator);
  const expiresAtNs = clock.nowNs() + 1_000_000n;
  const expired = await tokens.createAdmin({ name: "expired", expiresAtNs }, by);
  const admin = await tokens.createAdmin({ name: "admin", expiresAtNs: undefined }, by);
  await clock.advance(1);
  const services = someServices({
    // Nobody moves the clock, on which the next look waits for its second.
    authenticate: async (credential, signal) => {
      const principal = access.authenticate(credential, signal);
      await clock.advance(1_000);
      return principal;
    },
    createOperatorToken: () => tokens.createOperator(),
    replaceOperatorToken: (principal) => tokens.replaceOperator(principal),
    ready: async () => undefined,
    refresh: async () => undefined,
    hearPush: () => undefined,
    ...some,
  });
  const server = await openServer({ services, access: { withoutAuth: false, openActions } });
  return {
    server,
    operator: operator.text,
    admin: admin.text,
    expired: expired.text,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

function basic(text: string): string {
  return `Basic ${Buffer.from(text).toString("base64")}`;
}

/** Every method of every path of the router. */
const ENDPOINTS = [
  ...[...ROUTES].flatMap(([path, { methods, needs }]) =>
    Object.keys(methods).map((method) => ({ method, path, needs })),
  ),
  ...[...EARLY_ROUTES].map(([path, { needs }]) => ({ method: "GET", path, needs })),
];

/** Paths that are open to everybody, and no other ever without a word here. */
const OPEN = [
  "POST /api/v3/configure/token/admin",
  "POST /api/v3/enterprise/configure/token/admin",
  "GET /api/v3/tidelake/node",
];

suite("who is let in", () => {
  test("by nothing, at these paths alone", () => {
    const open = ENDPOINTS.filter(({ needs }) => needs === "open");
    assert.deepEqual(
      open.map(({ method, path }) => `${method} ${path}`),
      OPEN,
    );
  });

  test("every other path of the router refuses who brings nothing, or nothing good", async () => {
    await using running = await guarded();
    const { address } = running.server;
    const bad: readonly (string | undefined)[] = [
      undefined,
      `Bearer apiv3_${"w".repeat(43)}`,
      "Bearer nothing",
      `Bearer ${running.expired}`,
      `Token ${running.expired}`,
      basic(`ada:${running.expired}`),
      signedBy("another secret", { method: "POST", path: "/api/v3/tidelake/push" }),
    ];
    for (const { method, needs, path } of ENDPOINTS) {
      if (needs === "open") continue;
      for (const authorization of bad) {
        const headers = authorization === undefined ? {} : { authorization };
        const answer = await send(address, { method, path, headers });
        const what = `${method} ${path} ${authorization}`;
        assert.equal(answer.status, 401, what);
        assert.equal(answer.headers["www-authenticate"], "Bearer", what);
        assert.equal(answer.headers["content-type"], "application/json", what);
        const v2 = '{"code":"unauthorized","message":"the request was not authenticated"}';
        const body = path.startsWith("/api/v2/") ? v2 : UNAUTHENTICATED;
        assert.equal(answer.body, method === "HEAD" ? "" : body, what);
        assert.equal(answer.headers["access-control-allow-origin"], undefined);
      }
    }
  });

  test("with a good token, at every path for users, in each form", async () => {
    await using running = await guarded();
    const { admin, operator, server } = running;
    for (const { method, needs, path } of ENDPOINTS) {
      if (needs === "open" || needs === "call_node" || needs === "replace_operator_token") continue;
      for (const token of [admin, operator])
        for (const authorization of [`Bearer ${token}`, `Token ${token}`, basic(`ada:${token}`)]) {
          const { status } = await send(server.address, {
            method,
            path,
            headers: { authorization },
          });
          assert.ok(LET_IN.has(status), `${method} ${path} ${authorization}: ${status}`);
        }
    }
  });

  test("not with a header that is none", async () => {
    await using running = await guarded();
    for (const authorization of ["Bearer", "Bearer a b", "Digest x", basic("x")]) {
      const headers = { authorization };
      const answer = await send(running.server.address, { path: "/ping", headers });
      assert.deepEqual([answer.status, answer.body], [400, MALFORMED]);
      assert.equal(answer.headers["content-type"], "application/json");
    }
  });

  test("with the password of v1 in the query of /write, which beats the header, and nowhere else", async () => {
    await using running = await guarded();
    const { admin, server } = running;
    const ask = async (path: string, authorization?: string) => {
      const headers = authorization === undefined ? {} : { authorization };
      return (await send(server.address, { method: "POST", path, headers })).status;
    };
    assert.equal(await ask(`/write?u=ada&p=${admin}`), 400, "there is no db, but he is let in");
    assert.equal(await ask(`/write?p=${admin}`, "Bearer wrong"), 400);
    assert.equal(await ask(`/write?p=wrong`, `Bearer ${admin}`), 401);
    assert.equal(await ask(`/write?p=`, `Bearer ${admin}`), 400);
    assert.equal(await ask(`/write?u=${admin}`), 401);
    assert.equal(await ask(`/api/v2/write?p=${admin}`), 401);
    assert.equal(await ask(`/api/v3/write_lp?p=${admin}`), 401);
  });

  test("elsewhere nobody learns that there is nothing, without a token", async () => {
    await using running = await guarded();
    const ask = async (call: Call) => (await send(running.server.address, call)).status;
    const headers = { authorization: `Bearer ${running.admin}` };
    for (const [method, path] of [
      ["GET", "/nowhere"],
      ["POST", "/health"],
      ["PUT", "/ping"],
      ["GET", "/api/v3/configure/token"],
    ] as const) {
      assert.equal(await ask({ method, path }), 401, path);
      assert.equal(await ask({ method, path, headers }), 404, path);
    }
    assert.equal(await ask({ method: "OPTIONS", path: "/write" }), 204);
  });

  test("everybody, at what is named as open", async () => {
    await using running = await guarded(["see_health", "see_metrics"], {
      metrics: async () => "a 1\n",
    });
    const ask = async (path: string) => (await send(running.server.address, { path })).status;
    for (const path of ["/health", "/api/v1/health", "/ready", "/metrics"])
      assert.equal(await ask(path), 200, path);
    assert.equal(await ask("/ping"), 401);
  });

  test("nobody while the node starts, for nothing can be looked up: but where all may come", async () => {
    for (const openActions of [[], ["see_health"]] as const) {
      const access = { withoutAuth: false, openActions };
      await using server = await openServer({ access });
      const ask = async (path: string) => (await send(server.address, { path })).status;
      assert.equal(await ask("/health"), openActions.length === 0 ? 503 : 200);
      assert.equal(await ask("/ping"), 503);
      assert.equal(await ask("/api/v3/tidelake/node"), 200);
    }
  });

  test("a refused body is not asked for", async () => {
    await using running = await guarded();
    const headers = { expect: "100-continue", "content-length": "9000" };
    const path = "/api/v3/write_lp?db=a";
    const answer = await send(running.server.address, { method: "POST", path, headers });
    assert.equal(answer.status, 401);
  });
});

suite("calls between nodes", () => {
  const path = "/api/v3/tidelake/push";
  const body = '{"node":3,"position":41}';

  function push(address: string, authorization?: string, sent = body): Promise<Answer> {
    const headers = authorization === undefined ? {} : { authorization };
    return send(address, { method: "POST", path, headers, body: sent });
  }

  test("are taken from nodes of the cluster, and from nobody else, tokens or none", async () => {
    await using running = await guarded();
    const { address } = running.server;
    const signed = () => signedBy(SECRET, { method: "POST", path }, body);
    const once = signed();
    assert.equal((await push(address, once)).status, 202);
    assert.equal((await push(address, once)).status, 401, "a call counts once");
    assert.equal((await push(address, signed(), body.replace("41", "42"))).status, 401);
    assert.equal((await push(address, signed())).status, 202);
    assert.equal((await push(address)).status, 401);
    for (const token of [running.admin, running.operator])
      assert.equal((await push(address, `Bearer ${token}`)).status, 403);
    assert.equal((await push(address, `Bearer ${SECRET}`)).status, 401);
  });

  test("are answered with a proof, and nothing else is", async () => {
    await using running = await guarded();
    const { address } = running.server;
    const authorization = signedBy(SECRET, { method: "POST", path }, body);
    const answer = await push(address, authorization);
    const expected = proveAnswer({ secret: SECRET }, authorization, { status: 202 });
    assert.equal(answer.headers["tidelake-proof"], expected);
    const headers = { authorization: `Bearer ${running.admin}` };
    const ping = await send(address, { path: "/ping", headers });
    assert.equal(ping.headers["tidelake-proof"], undefined);
    assert.equal((await push(address)).headers["tidelake-proof"], undefined);
  });

  test("prove themselves also where users need no token", async () => {
    await using server = await openServer({ services: someServices({}) });
    assert.equal((await push(server.address)).status, 401);
  });

  test("open nothing that is for users", async () => {
    await using running = await guarded();
    const call = { method: "POST", path: "/api/v3/write_lp?db=a" };
    const headers = { authorization: signedBy(SECRET, call) };
    assert.equal((await send(running.server.address, { ...call, headers })).status, 403);
  });
});
