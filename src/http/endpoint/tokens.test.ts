import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { memoryStore } from "#objectstore/memory.ts";
import { accessOn } from "#testing/access.ts";
import { type Answer, machineClock, openServer, send, someServices } from "#testing/http.ts";
import { findRecoveryMatch } from "../router.ts";

const PATH = "/api/v3/configure/token";
const JSON_TYPE = { "content-type": "application/json" };

/** A server with tokens, and a way to ask it with one. */
async function running() {
  const { access, tokens } = accessOn(memoryStore());
  const services = someServices({
    authenticate: (credential, signal) => access.authenticate(credential, signal),
    createOperatorToken: () => tokens.createOperator(),
    replaceOperatorToken: (by) => tokens.replaceOperator(by),
    createAdminToken: (request, by) => tokens.createAdmin(request, by),
    deleteToken: (name, by) => tokens.delete(name, by),
  });
  const server = await openServer({ services, access: { withoutAuth: false, openActions: [] } });
  const ask = (method: string, path: string, token = "", body?: object): Promise<Answer> => {
    const authorization = token === "" ? {} : { authorization: `Bearer ${token}` };
    const content = body === undefined ? {} : { headers: JSON_TYPE, body: JSON.stringify(body) };
    return send(server.address, {
      method,
      path,
      ...content,
      headers: { ...content.headers, ...authorization },
    });
  };
  const { address } = server;
  return { address, ask, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

function tokenIn({ body }: Answer): string {
  return (JSON.parse(body) as { token: string }).token;
}

/** A server at the address for those who have lost the operator's token. */
async function recovering() {
  const { tokens } = accessOn(memoryStore());
  await tokens.createOperator();
  return openServer({
    services: someServices({ recoverOperatorToken: () => tokens.recoverOperator() }),
    access: { withoutAuth: false, openActions: [] },
    findMatch: findRecoveryMatch,
  });
}

suite("endpoints of tokens", () => {
  test("the operator's token is not for a page in a browser, which could ask from anywhere", async () => {
    await using server = await running();
    const path = `${PATH}/admin`;
    const headers = { origin: "https://example.org" };
    const answer = await send(server.address, { method: "POST", path, headers });
    assert.equal(answer.status, 403);
    assert.equal(answer.headers["access-control-allow-origin"], undefined);
    assert.equal((await server.ask("POST", path)).status, 201);
  });

  for (const prefix of [PATH, "/api/v3/enterprise/configure/token"]) {
    test(`${prefix}/admin gives the operator's token to the first who asks, once`, async () => {
      await using server = await running();
      const answer = await server.ask("POST", `${prefix}/admin`);
      assert.equal(answer.status, 201);
      assert.equal(answer.headers["cache-control"], "no-store");
      const { created_at, hash, token, ...rest } = JSON.parse(answer.body) as Record<
        string,
        string
      >;
      assert.deepEqual(rest, { id: 0, name: "_admin", expiry: null });
      assert.match(token ?? "", /^apiv3_[A-Za-z0-9_-]{43}$/);
      assert.match(hash ?? "", /^[0-9a-f]{128}$/);
      assert.equal(created_at, "2026-01-01T00:00:00.000Z");
      for (const bearer of ["", token ?? ""]) {
        const again = await server.ask("POST", `${prefix}/admin`, bearer);
        assert.equal(again.status, 409);
        assert.equal(again.body, "token name already exists, _admin");
      }
    });
  }

  test("the operator's token is replaced by its bearer alone, and the old one is refused", async () => {
    await using server = await running();
    const old = tokenIn(await server.ask("POST", `${PATH}/admin`));
    const named = await server.ask("POST", `${PATH}/named_admin`, old, { token_name: "ci" });
    const path = `${PATH}/admin/regenerate`;
    assert.equal((await server.ask("POST", path)).status, 401);
    const refused = await server.ask("POST", path, tokenIn(named));
    assert.equal(refused.status, 403);
    assert.deepEqual(JSON.parse(refused.body), {
      error: "the operator's token is replaced only by who brings it",
    });
    const replaced = await server.ask("POST", path, old);
    assert.equal(replaced.status, 201);
    assert.equal((await server.ask("POST", path, tokenIn(replaced))).status, 201);
  });

  test("named tokens are made with an expiry or without", async () => {
    await using server = await running();
    const operator = tokenIn(await server.ask("POST", `${PATH}/admin`));
    const make = (body: object) => server.ask("POST", `${PATH}/named_admin`, operator, body);
    const answer = await make({ token_name: "ci", expiry_secs: 3600 });
    assert.equal(answer.status, 201);
    const { expiry, id, name } = JSON.parse(answer.body) as Record<string, unknown>;
    const atMs = Date.parse(String(expiry));
    const aheadMs = atMs - Number(machineClock.nowNs() / 1_000_000n);
    assert.ok(aheadMs > 3_590_000 && aheadMs <= 3_600_000, String(expiry));
    assert.deepEqual([id, name], [1, "ci"]);
    const endless = await make({ token_name: "cd", expiry_secs: null });
    assert.equal((JSON.parse(endless.body) as { expiry: unknown }).expiry, null);
    const wrong: readonly [object, number, RegExp][] = [
      [{ token_name: "ci" }, 409, /^token name already exists, ci$/],
      [{}, 400, /missing field `token_name`/],
      [{ token_name: "" }, 400, /^the name of a token has 1 to 128/],
      [{ token_name: 5 }, 400, /invalid type/],
      [{ token_name: "x", expiry_secs: 0 }, 400, /expiry_secs is not a whole number from 1 to/],
      [{ token_name: "x", expiry_secs: -1 }, 400, /expiry_secs/],
      [{ token_name: "x", expiry_secs: 1.5 }, 400, /expiry_secs/],
      [{ token_name: "x", expiry_secs: "1y" }, 400, /expiry_secs/],
      [{ token_name: "x", expiry_secs: 3_153_600_001 }, 400, /expiry_secs/],
    ];
    for (const [body, status, text] of wrong) {
      const refused = await make(body);
      assert.equal(refused.status, status, JSON.stringify(body));
      assert.match(refused.body, text);
    }
  });

  test("a deleted token is refused, and the operator's stays", async () => {
    await using server = await running();
    const operator = tokenIn(await server.ask("POST", `${PATH}/admin`));
    const named = tokenIn(
      await server.ask("POST", `${PATH}/named_admin`, operator, { token_name: "a b" }),
    );
    const path = `${PATH}?token_name=a%20b`;
    assert.equal((await server.ask("GET", "/nowhere", named)).status, 404);
    assert.equal((await server.ask("DELETE", path, operator)).status, 200);
    assert.equal((await server.ask("GET", "/nowhere", named)).status, 401);
    const gone = await server.ask("DELETE", path, operator);
    assert.equal(gone.status, 404);
    assert.deepEqual(JSON.parse(gone.body), { error: "token not found: a b" });
    const kept = await server.ask("DELETE", `${PATH}?token_name=_admin`, operator);
    assert.deepEqual([kept.status, kept.body], [405, "cannot delete operator token"]);
    assert.equal((await server.ask("DELETE", PATH, operator)).status, 400);
  });

  test("tokens with permissions are not there yet", async () => {
    await using server = await running();
    const operator = tokenIn(await server.ask("POST", `${PATH}/admin`));
    const answer = await server.ask("POST", "/api/v3/enterprise/configure/token", operator, {
      token_name: "x",
      permissions: [],
    });
    assert.equal(answer.status, 501);
    assert.match(answer.body, /named_admin/);
  });

  test("a server without authorization makes none", async () => {
    await using server = await openServer({ services: someServices({}) });
    for (const [method, path] of [
      ["POST", PATH],
      ["DELETE", `${PATH}?token_name=a`],
      ["POST", `${PATH}/admin`],
      ["POST", `${PATH}/admin/regenerate`],
      ["POST", `${PATH}/named_admin`],
    ] as const) {
      const answer = await send(server.address, { method, path });
      assert.deepEqual(
        [answer.status, answer.body],
        [405, "endpoint disabled, started without auth"],
        path,
      );
    }
  });
});

suite("the address for those who have lost the operator's token", () => {
  test("replaces it without a token, and does nothing else", async () => {
    await using server = await recovering();
    const path = `${PATH}/admin/regenerate`;
    for (const [method, other] of [
      ["GET", path],
      ["POST", `${PATH}/admin`],
      ["POST", `${PATH}/named_admin`],
      ["GET", "/health"],
      ["GET", "/api/v3/tidelake/node"],
      ["POST", "/api/v3/write_lp?db=a"],
      ["OPTIONS", path],
    ] as const) {
      const answer = await send(server.address, { method, path: other });
      assert.deepEqual([answer.status, answer.body], [404, "not found"], `${method} ${other}`);
    }
    const answer = await send(server.address, { method: "POST", path });
    assert.equal(answer.status, 201);
    assert.match(tokenIn(answer), /^apiv3_/);
  });

  test("not for a page in a browser, which could send that from anywhere", async () => {
    await using server = await recovering();
    const headers = { origin: "https://example.org" };
    const path = `${PATH}/admin/regenerate`;
    const answer = await send(server.address, { method: "POST", path, headers });
    assert.equal(answer.status, 403);
    assert.equal(answer.headers["access-control-allow-origin"], undefined);
  });
});
