import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { isKind } from "#base/errors.ts";
import { toJson } from "#base/schema.ts";
import { memoryStore } from "#objectstore/memory.ts";
import { accessOn, adminOf, secretOf } from "#testing/access.ts";
import { storeWith } from "#testing/logs.ts";
import { hashToken } from "./token-text.ts";
import type { GivenToken, IssuedToken } from "./tokens.ts";

const DAY_NS = 86_400_000_000_000n;
const REVOKED = { kind: "denied", code: "unauthenticated" };

function given(index: number): GivenToken {
  return { text: `apiv3_${String(index).repeat(40)}`, name: "from file", expiresAtNs: undefined };
}

suite("tokens", () => {
  test("the first is the operator's, and only its hash is stored", async () => {
    const store = memoryStore();
    const { catalog, clock, tokens } = accessOn(store);
    const { record, text } = await tokens.createOperator();
    assert.equal(text, `apiv3_${Buffer.from(secretOf(1, 1)).toString("base64url")}`);
    assert.deepEqual(record, {
      id: 0,
      name: "_admin",
      hash: hashToken(text),
      grant: { kind: "admin" },
      createdAtNs: clock.nowNs(),
      expiresAtNs: undefined,
    });
    assert.match(record.hash, /^[0-9a-f]{128}$/);
    assert.deepEqual([...catalog.state.tokens.values()], [record]);
    for (const { key } of await store.list("")) {
      const object = Buffer.from((await store.get(key)) ?? []).toString("latin1");
      assert.ok(!object.includes(text.slice(6)), key);
    }
    assert.ok(!toJson([...catalog.state.tokens]).includes(text.slice(6)));
  });

  test("of nodes asked for the first at once, one makes it and the others say that it is there", async () => {
    for (let round = 0; round < 20; round++) {
      const store = memoryStore();
      const nodes = [1, 2, 3, 4, 5].map((seed) => accessOn(store, seed));
      const outcomes = await Promise.allSettled(
        nodes.flatMap(({ tokens }) => [tokens.createOperator(), tokens.createOperator()]),
      );
      const made = outcomes.flatMap((outcome) =>
        outcome.status === "fulfilled" ? [outcome.value] : [],
      );
      assert.equal(made.length, 1);
      for (const outcome of outcomes)
        if (outcome.status === "rejected") {
          assert.ok(isKind(outcome.reason, "conflict"));
          assert.equal(outcome.reason.message, "token name already exists, _admin");
        }
      for (const { catalog } of nodes) {
        const [only, ...more] = (await catalog.refresh()).tokens.values();
        assert.deepEqual(more, []);
        assert.equal(only?.hash, hashToken(made[0]?.text ?? ""));
      }
    }
  });

  test("a second operator is refused without a word to the store", async () => {
    let calls = 0;
    const inner = memoryStore();
    const get = (key: string) => {
      calls += 1;
      return inner.get(key);
    };
    const { tokens } = accessOn(storeWith(inner, { get }));
    await tokens.createOperator();
    calls = 0;
    await assert.rejects(tokens.createOperator(), { code: "token_exists" });
    assert.equal(calls, 0);
  });

  test("further ones are made by their bearers, each with a name of its own, and expire", async () => {
    const { clock, tokens } = accessOn(memoryStore());
    const operator = adminOf(await tokens.createOperator());
    const expiresAtNs = clock.nowNs() + DAY_NS;
    const made = await tokens.createAdmin({ name: "ci", expiresAtNs }, operator);
    const { id, name, createdBy } = made.record;
    assert.deepEqual([id, name, createdBy, made.record.expiresAtNs], [1, "ci", 0, expiresAtNs]);
    for (const taken of ["ci", "_admin"])
      await assert.rejects(tokens.createAdmin({ name: taken, expiresAtNs: undefined }, operator), {
        kind: "conflict",
        code: "token_exists",
      });
    const next = await tokens.createAdmin({ name: "cd", expiresAtNs: undefined }, adminOf(made));
    assert.deepEqual([next.record.id, next.record.createdBy], [2, 1]);
  });

  for (const name of ["", " ", "a\n", "a ", " a", "\u0000", "a\u202eb", "x".repeat(129)]) {
    test(`none is called ${JSON.stringify(name.slice(0, 9))}`, async () => {
      const { tokens } = accessOn(memoryStore());
      const operator = adminOf(await tokens.createOperator());
      await assert.rejects(tokens.createAdmin({ name, expiresAtNs: undefined }, operator), {
        kind: "invalid",
        code: "token_name",
      });
    });
  }

  test("a deleted one is gone, its name is free, and its id is not used again", async () => {
    const { catalog, tokens } = accessOn(memoryStore());
    const operator = adminOf(await tokens.createOperator());
    await tokens.createAdmin({ name: "ci", expiresAtNs: undefined }, operator);
    await tokens.delete("ci", operator);
    assert.equal(catalog.state.tokens.size, 1);
    await assert.rejects(tokens.delete("ci", operator), {
      kind: "not_found",
      code: "token_not_found",
    });
    const again = await tokens.createAdmin({ name: "ci", expiresAtNs: undefined }, operator);
    assert.equal(again.record.id, 2);
    await assert.rejects(tokens.delete("_admin", operator), {
      kind: "unsupported",
      code: "token_operator",
      message: "cannot delete operator token",
    });
  });

  test("the operator's is replaced once for each text", async () => {
    const store = memoryStore();
    const [one, two] = [accessOn(store, 1), accessOn(store, 2)];
    const first = await one.tokens.createOperator();
    const outcomes = await Promise.allSettled(
      [one, two].map(({ tokens }) => tokens.replaceOperator(adminOf(first))),
    );
    const made = outcomes.flatMap((outcome) =>
      outcome.status === "fulfilled" ? [outcome.value] : [],
    );
    assert.equal(made.length, 1, "the other one's token was replaced before it came");
    for (const outcome of outcomes)
      if (outcome.status === "rejected") assert.ok(isKind(outcome.reason, "denied"));
    const [replaced] = made as [IssuedToken];
    assert.deepEqual(
      [replaced.record.id, replaced.record.name, replaced.record.updatedBy],
      [0, "_admin", 0],
    );
    assert.equal(replaced.record.createdAtNs, first.record.createdAtNs);
  });

  test("the operator's is replaced for who has lost it, where there is one", async () => {
    const { catalog, clock, tokens } = accessOn(memoryStore());
    await assert.rejects(tokens.recoverOperator(), { kind: "not_found", code: "token_not_found" });
    await tokens.adopt({ ...given(1), name: "ops", expiresAtNs: clock.nowNs() + 1_000_000n });
    await clock.advance(1);
    const { record, text } = await tokens.recoverOperator();
    assert.deepEqual([record.id, record.name, record.hash], [0, "ops", hashToken(text)]);
    assert.equal(record.expiresAtNs, undefined, "an expired one is good for ever again");
    assert.equal(catalog.state.tokens.size, 1);
  });

  test("a revoked one makes and deletes nothing, on a node that has not heard of it either", async () => {
    const store = memoryStore();
    const [one, late] = [accessOn(store, 1), accessOn(store, 2)];
    const operator = adminOf(await one.tokens.createOperator());
    const revoked = adminOf(
      await one.tokens.createAdmin({ name: "a", expiresAtNs: undefined }, operator),
    );
    await late.catalog.refresh();
    await one.tokens.delete("a", operator);
    const wish = { name: "b", expiresAtNs: undefined };
    await assert.rejects(late.tokens.createAdmin(wish, revoked), REVOKED);
    await assert.rejects(late.tokens.delete("_admin", revoked), REVOKED);
    await one.tokens.replaceOperator(operator);
    await assert.rejects(late.tokens.createAdmin(wish, operator), REVOKED);
    await assert.rejects(late.tokens.replaceOperator(operator), REVOKED);
  });

  test("an expired one makes nothing", async () => {
    const { clock, tokens } = accessOn(memoryStore());
    const operator = adminOf(await tokens.createOperator());
    const expiresAtNs = clock.nowNs() + 1_000_000n;
    const short = adminOf(await tokens.createAdmin({ name: "s", expiresAtNs }, operator));
    await clock.advance(1);
    await assert.rejects(tokens.createAdmin({ name: "b", expiresAtNs: undefined }, short), REVOKED);
  });

  test("there are a thousand at most", async () => {
    const { tokens } = accessOn(memoryStore());
    const operator = adminOf(await tokens.createOperator());
    for (let count = 1; count < 1_000; count++)
      await tokens.createAdmin({ name: `t${count}`, expiresAtNs: undefined }, operator);
    await assert.rejects(
      tokens.createAdmin({ name: "one more", expiresAtNs: undefined }, operator),
      {
        kind: "exceeded",
        code: "token_limit",
      },
    );
    await tokens.delete("t1", operator);
    await tokens.createAdmin({ name: "one more", expiresAtNs: undefined }, operator);
  });

  test("a given one becomes the operator's of a cluster that has none, once over all nodes", async () => {
    const store = memoryStore();
    const nodes = [1, 2, 3].map((seed) => accessOn(store, seed));
    const adopted = await Promise.all(nodes.map(({ tokens }, index) => tokens.adopt(given(index))));
    assert.equal(adopted.filter(Boolean).length, 1);
    const [only] = (await accessOn(store, 9).catalog.refresh()).tokens.values();
    assert.deepEqual([only?.id, only?.name], [0, "from file"]);
    assert.equal(only?.hash, hashToken(given(adopted.indexOf(true)).text));
    const [one] = nodes;
    await assert.rejects(one?.tokens.createOperator() ?? Promise.resolve(), {
      message: "token name already exists, from file",
    });
  });
});
