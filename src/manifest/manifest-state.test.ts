import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { equalBytes } from "#base/bytes.ts";
import { DbError } from "#base/errors.ts";
import type { NodeNumber, TableId } from "#model/ids.ts";
import { decodeEnvelope, encodeEnvelope, type RecordKind } from "#objectlog/envelope.ts";
import { fromEnvelope, type LogEntry, type LogRecord, toEnvelope } from "#objectlog/record.ts";
import { writerOf } from "#testing/logs.ts";
import { fileOf } from "#testing/node-logs.ts";
import { adoptedOf, type ManifestState, manifestMachine } from "./manifest-state.ts";

const NONCE = "00112233445566778899aabbccddeeff";
const NODE_1 = 1 as NodeNumber;
const { empty } = manifestMachine;

type Wish = readonly [kind: "adopt" | "replace" | "take_over" | "barrier", dice: number];

function record(kind: RecordKind, body: unknown, catalog = 0, writer = writerOf(1, 1)): LogRecord {
  const payload = new Uint8Array(0);
  return { kind, ...writer, needs: { catalog, manifest: 0 }, body, payload };
}

/** The record that may follow on `state`, chosen by the number; undefined where none of that kind may. */
function legalRecord(state: ManifestState, [kind, dice]: Wish): LogRecord | undefined {
  const writer = writerOf(1 + (dice % 3), 1 + (dice % 2));
  const position = state.position + 1;
  switch (kind) {
    case "adopt": {
      const node = (1 + (dice % 3)) as NodeNumber;
      const { position: before, stamp } = adoptedOf(state, node);
      const files = [fileOf(`adopted ${position}`, 1 + (dice % 2)), fileOf(`too ${position}`)];
      const through = before + 1 + (dice % 5);
      return record(
        kind,
        { node, through, stamp: stamp + BigInt(dice), files: files.slice(dice % 3) },
        dice,
        writer,
      );
    }
    case "replace": {
      const files = [...state.files.values()].flat().map(({ file }) => file.key);
      if (files.length === 0) return undefined;
      const inputs = files.filter((_, index) => index % 3 === dice % 3);
      const outputs = [fileOf(`output ${position}`)];
      const collected = state.replaced[dice % 4]?.position;
      return record(kind, { inputs, outputs, collected }, dice, writer);
    }
    case "take_over":
      return record(kind, { office: state.office.epoch + 1 }, dice, writer);
    case "barrier":
      return record(kind, {}, dice, writer);
  }
}

const aHistory = fc.array(
  fc.tuple(fc.constantFrom("adopt", "adopt", "replace", "take_over", "barrier"), fc.nat(50)),
  { maxLength: 20 },
) as fc.Arbitrary<readonly Wish[]>;

function replay(wishes: readonly Wish[]): readonly ManifestState[] {
  const states = [empty];
  for (const wish of wishes) {
    const state = states.at(-1) ?? empty;
    const next = legalRecord(state, wish);
    if (next !== undefined)
      states.push(manifestMachine.apply(state, throughBytes(next, state.position + 1)));
  }
  return states;
}

function throughBytes(content: LogRecord, position: number): LogEntry {
  const bytes = encodeEnvelope(toEnvelope(content, position, NONCE));
  return fromEnvelope(decodeEnvelope("key", bytes), "key", position);
}

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

function filesOf(state: ManifestState): readonly (readonly [string, bigint])[] {
  return [...state.files.values()].flat().map(({ file, stampAbove }) => [file.key, stampAbove]);
}

suite("state of the manifest", () => {
  test("a checkpoint anywhere stands for all entries up to it", () => {
    fc.assert(
      fc.property(aHistory, (wishes) => {
        for (const state of replay(wishes)) {
          const checkpoint = manifestMachine.checkpoint(state, writerOf(1, 1));
          const restored = manifestMachine.restore(throughBytes(checkpoint, state.position));
          assert.deepEqual(restored, state);
          assert.deepEqual(filesOf(restored), filesOf(state));
        }
      }),
      { numRuns: 60 },
    );
  });

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
    assert.deepEqual(gone.files, new Map());
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
    assert.deepEqual([...state.files.keys()], [1, 2]);
    assert.equal(state.files.get(2 as TableId)?.[0]?.file.key, "b");
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
        fc.constantFrom<RecordKind>("adopt", "replace", "take_over", "manifest_checkpoint"),
        fc.jsonValue(),
        (kind, body) => {
          const entry = { ...record(kind, body), position: 1, nonce: NONCE };
          try {
            if (kind === "manifest_checkpoint") manifestMachine.restore(entry);
            else manifestMachine.apply(empty, entry);
          } catch (error) {
            assert.ok(error instanceof DbError && error.kind === "corrupt", String(error));
          }
        },
      ),
    );
  });

  test("a record of another log is foreign", () => {
    const entry = { ...record("transaction", {}), position: 1, nonce: NONCE };
    assert.throws(() => manifestMachine.apply(empty, entry), { code: "record_foreign" });
    assert.throws(() => manifestMachine.restore(entry), { code: "record_foreign" });
  });

  test("a manifest of version 1 is read for ever, and written the same", () => {
    const text = readFileSync(new URL("testdata/manifest-v1.hex", import.meta.url), "utf8");
    const objects = text
      .trim()
      .split("\n")
      .map((line) => Uint8Array.from(Buffer.from(line, "hex")));
    let state = empty;
    for (const [index, bytes] of objects.slice(0, -1).entries())
      state = manifestMachine.apply(
        state,
        fromEnvelope(decodeEnvelope("key", bytes), "key", index + 1),
      );
    const [checkpoint] = objects.slice(-1);
    assert.ok(checkpoint);
    const restored = fromEnvelope(decodeEnvelope("key", checkpoint), "key", 5);
    // Checkpoints of version 1 do not say what was replaced.
    assert.deepEqual(manifestMachine.restore(restored), { ...state, replaced: [] });
    assert.deepEqual(state, {
      position: 5,
      files: new Map([
        [
          1,
          [
            { file: fileOf("second"), stampAbove: 7n },
            { file: fileOf("output"), stampAbove: 0n },
          ],
        ],
      ]),
      adopted: new Map([[1, { position: 9, stamp: 2n ** 62n }]]),
      replaced: [{ position: 5, keys: ["first"] }],
      office: { node: 2, epoch: 1 },
      writers: new Map([
        [2, 3],
        [1, 1],
      ]),
      needs: { catalog: 12, manifest: 0 },
    });
    const again = manifestMachine.checkpoint(manifestMachine.restore(restored), writerOf(2, 3));
    assert.ok(equalBytes(encodeEnvelope(toEnvelope(again, 5, NONCE)), checkpoint));
    for (const bytes of objects)
      assert.ok(equalBytes(encodeEnvelope(decodeEnvelope("key", bytes)), bytes));
  });
});
