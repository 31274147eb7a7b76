import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { equalBytes } from "#base/bytes.ts";
import { DbError } from "#base/errors.ts";
import type { NodeNumber, TableId } from "#model/ids.ts";
import { decodeEnvelope, encodeEnvelope, type RecordKind } from "#objectlog/envelope.ts";
import { fromEnvelope, type LogRecord } from "#objectlog/record.ts";
import { writerOf } from "#testing/logs.ts";
import { fileOf } from "#testing/node-logs.ts";
import {
  aHistory,
  contentOf,
  manifestRecord as record,
  replay,
  STORED_NONCE,
  storedObjects,
  throughBytes,
} from "#testing/samples/manifests.ts";
import { adoptedOf, type ManifestState, manifestMachine } from "./manifest-state.ts";

const NODE_1 = 1 as NodeNumber;
const { empty } = manifestMachine;

function applyAll(...records: readonly LogRecord[]): ManifestState {
  return records.reduce(
    (state, next) => manifestMachine.apply(state, throughBytes(next, state.position + 1)),
    empty,
  );
}

function adopt(through: number, stamp: bigint, keys: readonly string[], node = 1): LogRecord {
  return record("adopt", { node, through, stamp, files: keys.map((key) => fileOf(key)) });
}

function replace(inputs: readonly string[], collected?: number): LogRecord {
  return record("replace", { inputs, outputs: [], collected });
}

/** Files of one table that begin together are in order of their keys. */
function filesOf(state: ManifestState): readonly (readonly [string, bigint])[] {
  return [...state.files].map(({ file, stampAbove }) => [file.key, stampAbove]);
}

suite("state of the manifest", () => {
  test("it needs the greatest catalog version that any entry names", () => {
    fc.assert(
      fc.property(aHistory, (wishes) => {
        const states = replay(wishes);
        for (const [index, state] of states.entries())
          assert.ok(state.needs.catalog >= (states[index - 1]?.needs.catalog ?? 0));
      }),
      { numRuns: 40 },
    );
    const state = applyAll(record("barrier", {}, 9), record("barrier", {}, 4));
    assert.equal(state.needs.catalog, 9);
  });

  test("adoption adds the files, and rows that were there before them do not count", () => {
    const state = applyAll(adopt(4, 70n, ["a"]), adopt(9, 80n, ["b"]), adopt(5, 60n, ["c"], 2));
    assert.deepEqual(filesOf(state), [
      ["a", 0n],
      ["b", 70n],
      ["c", 0n],
    ]);
    assert.deepEqual(adoptedOf(state, NODE_1), { position: 9, stamp: 80n });
    assert.deepEqual(adoptedOf(state, 2 as NodeNumber), { position: 5, stamp: 60n });
    assert.deepEqual(adoptedOf(state, 3 as NodeNumber), { position: 0, stamp: 0n });
  });

  test("replacement takes all inputs at once, and the outputs count whole", () => {
    const state = applyAll(
      adopt(4, 70n, ["a", "b"]),
      adopt(9, 80n, ["c"]),
      record("replace", { inputs: ["b", "c"], outputs: [fileOf("d", 2), fileOf("e")] }),
    );
    assert.deepEqual(filesOf(state), [
      ["a", 0n],
      ["e", 0n],
      ["d", 0n],
    ]);
    const gone = applyAll(adopt(4, 70n, ["a"]), record("replace", { inputs: ["a"], outputs: [] }));
    assert.equal(gone.files.count, 0);
  });

  test("what is replaced is remembered until it is collected", () => {
    const first = [adopt(4, 70n, ["a", "b", "c", "d"]), replace(["a", "b"]), replace(["c"])];
    assert.deepEqual(applyAll(...first).replaced, [
      { position: 2, keys: ["a", "b"] },
      { position: 3, keys: ["c"] },
    ]);
    assert.deepEqual(applyAll(...first, replace([], 2)).replaced, [{ position: 3, keys: ["c"] }]);
    const both = applyAll(...first, replace(["d"], 3));
    assert.deepEqual(both.replaced, [{ position: 4, keys: ["d"] }]);
    assert.deepEqual(applyAll(...first, replace([], 3)).replaced, []);
  });

  test("it remembers no more replaced files than it may, the newest ones", () => {
    const keys = Array.from({ length: 120_000 }, (_, index) => `${index}`);
    const state = applyAll(
      adopt(4, 70n, keys),
      replace(keys.slice(0, 60_000)),
      replace(keys.slice(60_000)),
    );
    assert.deepEqual(
      state.replaced.map(({ position }) => position),
      [3],
    );
  });

  test("files stand under their table", () => {
    const state = applyAll(
      record("adopt", { node: 1, through: 1, stamp: 1n, files: [fileOf("a"), fileOf("b", 2)] }),
    );
    assert.deepEqual(state.files.tableIds(), [1, 2]);
    assert.equal(state.files.ofTable(2 as TableId)[0]?.file.key, "b");
  });

  test("a term follows the one before, and every writer's highest epoch is known", () => {
    const state = applyAll(
      record("take_over", { office: 1 }, 0, writerOf(1, 4)),
      record("take_over", { office: 2 }, 0, writerOf(2, 7)),
      record("barrier", {}, 0, writerOf(1, 3)),
    );
    assert.deepEqual(state.office, { node: 2, epoch: 2 });
    assert.equal(manifestMachine.writerEpoch(state, NODE_1), 4);
    assert.equal(manifestMachine.writerEpoch(state, 2 as NodeNumber), 7);
    assert.equal(manifestMachine.writerEpoch(state, 3 as NodeNumber), 0);
  });

  const IMPOSSIBLE: readonly (readonly [string, LogRecord])[] = [
    ["an adoption of nothing new", adopt(4, 70n, ["b"])],
    ["an adoption backwards", adopt(3, 90n, ["b"])],
    ["a term twice", record("take_over", { office: 0 })],
    ["a term left out", record("take_over", { office: 2 })],
    [
      "a collection of what is still to come",
      record("replace", { inputs: [], outputs: [], collected: 2 }),
    ],
    [
      "a replacement of a file that is not there",
      record("replace", { inputs: ["x"], outputs: [] }),
    ],
  ];
  for (const [what, next] of IMPOSSIBLE) {
    test(`${what} cannot be`, () => {
      assert.throws(() => applyAll(adopt(4, 70n, ["a"]), next), { code: "assertion_failed" });
    });
  }
});

suite("records of the manifest", () => {
  test("bodies of any other JSON are damage, or impossible", () => {
    fc.assert(
      fc.property(
        fc.constantFrom<RecordKind>("adopt", "replace", "take_over"),
        fc.jsonValue(),
        (kind, body) => {
          const entry = { ...record(kind, body), position: 1, nonce: STORED_NONCE };
          try {
            manifestMachine.apply(empty, entry);
          } catch (error) {
            assert.ok(error instanceof DbError && error.kind === "corrupt", String(error));
          }
        },
      ),
    );
  });

  test("a record of another log is foreign", () => {
    const entry = { ...record("transaction", {}), position: 1, nonce: STORED_NONCE };
    assert.throws(() => manifestMachine.apply(empty, entry), { code: "record_foreign" });
  });

  test("entries of version 1 are read for ever", () => {
    const objects = storedObjects("manifest-v1.hex").slice(0, -1);
    let state = empty;
    for (const [index, bytes] of objects.entries())
      state = manifestMachine.apply(
        state,
        fromEnvelope(decodeEnvelope("key", bytes), "key", index + 1),
      );
    assert.deepEqual(contentOf(state), {
      position: 5,
      files: [
        { file: fileOf("output"), stampAbove: 0n },
        { file: fileOf("second"), stampAbove: 7n },
      ],
      adopted: new Map([[1, { position: 9, stamp: 2n ** 62n }]]),
      replaced: [{ position: 5, keys: ["first"] }],
      office: { node: 2, epoch: 1 },
      writers: new Map([
        [2, 3],
        [1, 1],
      ]),
      needs: { catalog: 12, manifest: 0 },
    });
    for (const bytes of objects)
      assert.ok(equalBytes(encodeEnvelope(decodeEnvelope("key", bytes)), bytes));
  });
});
