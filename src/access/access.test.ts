import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { DbError } from "#base/errors.ts";
import type { Catalog } from "#catalog/catalog.ts";
import { askToRemove, forgetNode } from "#catalog/members.ts";
import type { Epoch, NodeNumber } from "#model/ids.ts";
import { memoryStore } from "#objectstore/memory.ts";
import type { ObjectStore } from "#ports/object-store.ts";
import { accessOn, adminOf } from "#testing/access.ts";
import { settle } from "#testing/hand-clock.ts";
import { signedBy } from "#testing/http.ts";
import { neverAborted, storeWith } from "#testing/logs.ts";
import { signCall } from "./node-call.ts";
import { NOBODY, type Principal } from "./principal.ts";

const UNKNOWN = `apiv3_${"x".repeat(43)}`;

function bearer(token: string) {
  return { kind: "token", token } as const;
}

/** A store that counts what is got, and can be made to hang or fail. */
function watchedStore() {
  const inner = memoryStore();
  const watched = { getCount: 0, trouble: undefined as (() => Promise<never>) | undefined };
  const store = storeWith(inner, {
    get: (key) => {
      watched.getCount += 1;
      return watched.trouble?.() ?? inner.get(key);
    },
  });
  return { inner, store, watched };
}

/** A node that knows the operator's token, on a store that is watched from then on. */
async function knowing() {
  const { inner, store, watched } = watchedStore();
  const node = accessOn(store);
  const operator = await node.tokens.createOperator();
  watched.getCount = 0;
  return { ...node, inner, operator, watched };
}

async function register(catalog: Catalog, nodeId: string): Promise<void> {
  const rest = { instanceId: nodeId, address: nodeId, coreCount: 1, hasLog: true };
  await catalog.refresh();
  await catalog.register({ nodeId, modes: ["query"], ...rest }, () => 1n);
}

function other(store: ObjectStore) {
  return accessOn(store, 2);
}

suite("who sent a request", () => {
  test("is the bearer of a token that this node knows, without a word to the store", async () => {
    const { access, operator, watched } = await knowing();
    const principal = await access.authenticate(bearer(operator.text), neverAborted());
    assert.deepEqual(principal, { kind: "admin", token: operator.record });
    assert.equal(watched.getCount, 0);
  });

  const nobodies = ["", "x", "apiv3_", "apiv3_short", `Apiv3_${"x".repeat(43)}`, `${UNKNOWN} `];
  for (const token of nobodies) {
    test(`is nobody with ${JSON.stringify(token)}, which is no token: the store need not be asked`, async () => {
      const { access, watched } = await knowing();
      assert.equal(await access.authenticate(bearer(token), neverAborted()), NOBODY);
      assert.equal(watched.getCount, 0);
    });
  }

  test("is nobody without a credential", async () => {
    const { access } = await knowing();
    assert.equal(await access.authenticate({ kind: "none" }, neverAborted()), NOBODY);
  });

  test("is nobody from the moment on that the token expires", async () => {
    const { access, clock, operator, tokens } = await knowing();
    const expiresAtNs = clock.nowNs() + 5_000_000n;
    const { text } = await tokens.createAdmin({ name: "s", expiresAtNs }, adminOf(operator));
    const kind = async () => (await access.authenticate(bearer(text), neverAborted())).kind;
    await clock.advance(4);
    assert.equal(await kind(), "admin");
    await clock.advance(1);
    assert.equal(await kind(), "nobody");
  });

  test("is nobody with a token that was deleted or replaced", async () => {
    const { access, operator, tokens } = await knowing();
    const by = adminOf(operator);
    const named = await tokens.createAdmin({ name: "n", expiresAtNs: undefined }, by);
    await tokens.delete("n", by);
    assert.equal(await access.authenticate(bearer(named.text), neverAborted()), NOBODY);
    const replaced = await tokens.replaceOperator(by);
    const find = access.authenticate(bearer(replaced.text), neverAborted());
    assert.equal((await find).kind, "admin");
  });

  test("is known though the token was made on another node just now", async () => {
    const { access, inner, operator } = await knowing();
    const { tokens } = other(inner);
    const wish = { name: "n", expiresAtNs: undefined };
    const { text } = await tokens.createAdmin(wish, adminOf(operator));
    const principal = await access.authenticate(bearer(text), neverAborted());
    assert.equal(principal.kind === "admin" && principal.token.name, "n");
  });

  test("is looked for once a second, for all unknown tokens together, and never with an older answer", async () => {
    const { access, clock, inner, operator, watched } = await knowing();
    const ask = (token: string) => access.authenticate(bearer(token), neverAborted());
    assert.equal(await ask(UNKNOWN), NOBODY);
    assert.equal(watched.getCount, 1);
    // These came too soon after that look: they share the next one.
    const waiting = Array.from({ length: 200 }, (_, index) => ask(`${UNKNOWN}${index}`));
    const { tokens } = other(inner);
    const wish = { name: "n", expiresAtNs: undefined };
    const { text } = await tokens.createAdmin(wish, adminOf(operator));
    const known = ask(text);
    await clock.advance(999);
    assert.equal(watched.getCount, 1);
    await clock.advance(1);
    for (const principal of await Promise.all(waiting)) assert.equal(principal, NOBODY);
    assert.equal((await known).kind, "admin");
    // One found the new entry, and one that nothing stands behind it.
    assert.equal(watched.getCount, 3);
    assert.equal(clock.sleeperCount, 0);
  });

  test("is not said where too many wait for a look already", async () => {
    const { access, clock, operator } = await knowing();
    const ask = (token: string) => access.authenticate(bearer(token), neverAborted());
    await ask(UNKNOWN);
    const waiting = Array.from({ length: 256 }, () => ask(UNKNOWN));
    await assert.rejects(ask(UNKNOWN), { kind: "unavailable", code: "token_unchecked" });
    assert.equal((await ask(operator.text)).kind, "admin", "a known one is not in this queue");
    await clock.advance(1_000);
    for (const principal of await Promise.all(waiting)) assert.equal(principal, NOBODY);
    const later = ask(UNKNOWN);
    await clock.advance(1_000);
    assert.equal(await later, NOBODY);
  });

  test("is not said while the store does not answer: whoever waits is told so", async () => {
    const { access, clock, watched } = await knowing();
    watched.trouble = () => new Promise(() => undefined);
    const asked = access.authenticate(bearer(UNKNOWN), neverAborted());
    const refused = assert.rejects(asked, { kind: "unavailable", code: "token_unchecked" });
    await clock.advance(5_000);
    await refused;
    assert.equal(clock.sleeperCount, 0);
  });

  test("is not said when the store fails, and found out when it is back", async () => {
    const { access, clock, watched } = await knowing();
    watched.trouble = () =>
      Promise.reject(new DbError("unavailable", "store_unreachable", "no answer"));
    await assert.rejects(access.authenticate(bearer(UNKNOWN), neverAborted()), {
      kind: "unavailable",
      code: "token_unchecked",
    });
    watched.trouble = undefined;
    const asked = access.authenticate(bearer(UNKNOWN), neverAborted());
    await clock.advance(1_000);
    assert.equal(await asked, NOBODY);
  });

  test("concerns nobody any more when the client has left", async () => {
    const { access, clock, watched } = await knowing();
    watched.trouble = () => new Promise(() => undefined);
    const left = new AbortController();
    const asked = access.authenticate(bearer(UNKNOWN), left.signal);
    await settle();
    left.abort(new Error("left"));
    await assert.rejects(asked, /left/);
    assert.equal(clock.sleeperCount, 0);
  });

  test("ends with the node that waits for its next look", async () => {
    const { access, clock, stop } = await knowing();
    await access.authenticate(bearer(UNKNOWN), neverAborted());
    const asked = access.authenticate(bearer(UNKNOWN), neverAborted());
    const refused = assert.rejects(asked, { kind: "unavailable" });
    stop.abort(new DbError("unavailable", "node_stopping", "stops"));
    await refused;
    assert.equal(clock.sleeperCount, 0);
  });

  test("is a node of this cluster by a proof of its secret, and nobody by another's", async () => {
    const { access, catalog } = await knowing();
    const call = { method: "POST", path: "/x" };
    const ask = (secret: string): Promise<Principal> => {
      const proof = signedBy(secret, call).replace("Tidelake ", "");
      return access.authenticate({ kind: "node_call", call, proof }, neverAborted());
    };
    assert.equal(await ask("s"), NOBODY);
    await catalog.createCluster({ uuid: "u", secret: "s" });
    assert.equal((await ask("s")).kind, "node");
    assert.equal(await ask("t"), NOBODY);
    const proof = signedBy("s", call).replace("Tidelake ", "");
    const once = { kind: "node_call", call, proof } as const;
    assert.equal((await access.authenticate(once, neverAborted())).kind, "node");
    assert.equal(await access.authenticate(once, neverAborted()), NOBODY, "a call counts once");
  });

  test("is nobody where it proves to be a start of a node that the catalog knows to be over", async () => {
    const { access, catalog, inner } = await knowing();
    await catalog.createCluster({ uuid: "u", secret: "s" });
    await register(catalog, "host01");
    let number = 0;
    const callOf = async (epoch: Epoch) => {
      number += 1;
      const call = { method: "POST", path: "/x" };
      const mark = { from: { node: 2 as NodeNumber, epoch }, to: catalog.writer, number };
      const proof = signCall({ secret: "s" }, mark, call).replace("Tidelake ", "");
      return (await access.authenticate({ kind: "node_call", call, proof }, neverAborted())).kind;
    };
    const peer = other(inner).catalog;
    await register(peer, "host02");
    assert.equal(await callOf(1), "node", "a start that this process has not read of");
    await catalog.refresh();
    assert.equal(await callOf(1), "node");
    await register(peer, "host02");
    await catalog.refresh();
    assert.equal(await callOf(1), "nobody", "started again since");
    assert.equal(await callOf(2), "node");
    await peer.setNodeState("stopped", 2n);
    await catalog.refresh();
    await catalog.transact((state) => askToRemove(state, "host02", 3n));
    assert.equal(await callOf(2), "node", "on its way out");
    await catalog.transact((state) => forgetNode(state, peer.writer));
    assert.equal(await callOf(2), "nobody", "removed");
    assert.equal(await callOf(3), "node", "it may have come back");
  });
});
