import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { toJson } from "#base/schema.ts";
import type { DatabaseId, TokenId } from "#model/ids.ts";
import { writerOf } from "#testing/logs.ts";
import { catalogMachine } from "./catalog-machine.ts";
import { applyChanges, EMPTY_CATALOG } from "./catalog-state.ts";
import type { CatalogChange } from "./changes.ts";
import { checkStored, tokenOf } from "./testing.ts";
import { findToken, type TokenState } from "./tokens.ts";

function textOf({ tokens, nextTokenId }: TokenState): string {
  return toJson([[...tokens.values()], nextTokenId]);
}

suite("tokens of the catalog", () => {
  const two = applyChanges(EMPTY_CATALOG, [
    { kind: "create_token", token: tokenOf(0, 1n) },
    { kind: "create_token", token: tokenOf(1, 1n) },
  ]);

  test("are found by name, and their map stays the same while none changes", () => {
    assert.equal(findToken(two, "token1")?.id, 1);
    assert.equal(findToken(two, "other"), undefined);
    const after = applyChanges(two, [{ kind: "create_database", id: 1 as DatabaseId, name: "db" }]);
    assert.equal(after.tokens, two.tokens);
  });

  test("have no end any more when they are replaced, and no second life when they are deleted", () => {
    const id = 1 as TokenId;
    const replaced = applyChanges(two, [
      { kind: "replace_token", id, hash: "new", updatedAtNs: 9n },
    ]);
    assert.equal(replaced.tokens.get(id)?.expiresAtNs, undefined);
    assert.equal(replaced.tokens.get(id)?.hash, "new");
    const deleted = applyChanges(two, [{ kind: "delete_token", id }]);
    assert.deepEqual([...deleted.tokens.keys()], [0]);
    assert.equal(deleted.nextTokenId, 2);
    assert.equal(two.tokens.size, 2);
  });

  const impossible: readonly (readonly [string, CatalogChange])[] = [
    ["an id twice", { kind: "create_token", token: { ...tokenOf(1, 1n), name: "a", hash: "b" } }],
    ["an id left out", { kind: "create_token", token: tokenOf(3, 1n) }],
    ["a name twice", { kind: "create_token", token: { ...tokenOf(2, 1n), name: "token1" } }],
    ["a hash twice", { kind: "create_token", token: { ...tokenOf(2, 1n), hash: "hash1" } }],
    ["a deletion of the first", { kind: "delete_token", id: 0 as TokenId }],
    ["a deletion of none", { kind: "delete_token", id: 9 as TokenId }],
    ["a new text of none", { kind: "replace_token", id: 9 as TokenId, hash: "h", updatedAtNs: 1n }],
  ];
  for (const [what, change] of impossible) {
    test(`${what} cannot be`, () => {
      assert.throws(() => applyChanges(two, [change]), { code: "assertion_failed" });
    });
  }

  test("of version 1 are read for ever, and written the same", () => {
    const state = checkStored(new URL("testdata/tokens-v1.hex", import.meta.url));
    const operator = { ...tokenOf(0, 5n), hash: "new", updatedAtNs: 7n, updatedBy: 0 };
    assert.equal(textOf(state), toJson([[operator, tokenOf(1, 6n)], 3]));
  });

  test("that never were leave the checkpoint as it was before there were any", () => {
    const { body } = catalogMachine.checkpoint(EMPTY_CATALOG, writerOf(1, 1));
    assert.deepEqual(Object.keys(body as object), [
      "databases",
      "nodes",
      "nextDatabaseId",
      "nextTableId",
      "nextNodeNumber",
    ]);
  });
});
