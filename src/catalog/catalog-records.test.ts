import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { DbError } from "#base/errors.ts";
import type { DatabaseId } from "#model/ids.ts";
import { catalogMachine } from "./catalog-machine.ts";
import { EMPTY_CATALOG, findDatabase, findNode, findTable } from "./catalog-state.ts";
import { checkStored, KINDS, NONCE, nodeOf, throughBytes, transaction } from "./testing.ts";

suite("records of the catalog", () => {
  test("a change of a later version is unknown, not damaged", () => {
    const changes = [{ kind: "create_trigger", name: "x" }];
    assert.throws(
      () => catalogMachine.apply(EMPTY_CATALOG, throughBytes(transaction(changes), 1)),
      { kind: "unsupported", code: "record_unknown", message: /create_trigger/ },
    );
  });

  test("bodies of any other JSON are damage", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (body) => {
        for (const kind of ["transaction", "catalog_checkpoint"] as const) {
          const entry = { ...transaction([]), kind, body, position: 1, nonce: NONCE };
          const read = () =>
            kind === "transaction"
              ? catalogMachine.apply(EMPTY_CATALOG, entry)
              : catalogMachine.restore(entry);
          try {
            read();
          } catch (error) {
            assert.ok(error instanceof DbError);
            assert.match(error.kind, /corrupt|unsupported/);
          }
        }
      }),
    );
  });

  test("a record of another log is foreign", () => {
    const foreign = { ...transaction([]), position: 1, nonce: NONCE, kind: "adopt" as const };
    assert.throws(() => catalogMachine.apply(EMPTY_CATALOG, foreign), { code: "record_foreign" });
    assert.throws(() => catalogMachine.restore(foreign), { code: "record_foreign" });
  });

  test("a catalog of version 1 is read for ever, and written the same", () => {
    const state = checkStored(new URL("testdata/catalog-v1.hex", import.meta.url));
    assert.deepEqual(state.cluster, { uuid: "uuid", secret: "secret" });
    const database = findDatabase(state, "db");
    assert.equal(database?.retentionNs, 3_600_000_000_000n);
    assert.deepEqual(database && findTable(database, "t")?.columns, [
      { id: 0, name: "time", kind: "time" },
      ...KINDS.map((kind, index) => ({ id: index + 1, name: kind, kind })),
      { id: 7, name: "more", kind: "float" },
    ]);
    assert.deepEqual(state.databases.get(2 as DatabaseId)?.dropped, {
      atNs: 5n,
      hardDeleteAtNs: 2n ** 62n,
    });
    assert.deepEqual(findNode(state, "node1"), nodeOf(1, 1, { state: "stopped", updatedAtNs: 9n }));
    assert.deepEqual(state.needs, { catalog: 0, manifest: 4 });
  });
});
