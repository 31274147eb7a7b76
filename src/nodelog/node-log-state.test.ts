import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { equalBytes } from "#base/bytes.ts";
import { toJson } from "#base/schema.ts";
import { decodeEnvelope, encodeEnvelope, type RecordKind } from "#objectlog/envelope.ts";
import { fromEnvelope, type LogEntry, NEEDS_NOTHING, toEnvelope } from "#objectlog/record.ts";
import { writerOf } from "#testing/logs.ts";
import { blockOf, contentOf, fileOf } from "#testing/node-logs.ts";
import { type NodeLogState, nodeLogMachine, withoutAdopted } from "./node-log-state.ts";
import { encodeCheckpoint, encodeFlush } from "./records.ts";

const NO_BYTES = new Uint8Array(0);
const NONCE = "00112233445566778899aabbccddeeff";

type Step = { readonly kind: "fence" | "flush" | "snapshot"; readonly jump: number };

const aHistory = fc.array(
  fc.record({
    kind: fc.constantFrom("fence", "flush", "flush", "flush", "snapshot"),
    jump: fc.integer({ min: 1, max: 3 }),
  }),
  { maxLength: 30 },
);

/** The entry that `step` appends to `state`, or undefined where there is nothing to take a snapshot of. */
function nextEntry(state: NodeLogState, { kind, jump }: Step): LogEntry | undefined {
  const position = state.position + 1;
  const epoch = kind === "fence" || state.epoch === 0 ? state.epoch + jump : state.epoch;
  const needs = { catalog: position, manifest: jump };
  const head = { ...writerOf(1, epoch), needs, position, nonce: NONCE };
  const empty = { body: {}, payload: NO_BYTES };
  if (kind === "fence" || state.epoch === 0) return { ...head, kind: "fence", ...empty };
  if (kind === "flush") {
    const stamp = state.lastStamp + BigInt(jump);
    return { ...head, kind, ...encodeFlush(stamp, [blockOf(`${position}`), blockOf("more")]) };
  }
  if (state.snapshotted === state.position) return undefined;
  const body = {
    through: state.position,
    stamp: state.lastStamp,
    files: [fileOf(`file ${position}`)],
  };
  return { ...head, kind, body, payload: NO_BYTES };
}

/** The states after each of `steps`. */
function replay(steps: readonly Step[]): readonly NodeLogState[] {
  const states = [nodeLogMachine.empty];
  for (const step of steps) {
    const state = states.at(-1) ?? nodeLogMachine.empty;
    const entry = nextEntry(state, step);
    if (entry !== undefined) states.push(nodeLogMachine.apply(state, throughBytes(entry)));
  }
  return states;
}

function throughBytes(entry: LogEntry): LogEntry {
  const bytes = encodeEnvelope(toEnvelope(entry, entry.position, entry.nonce));
  return fromEnvelope(decodeEnvelope("key", bytes), "key", entry.position);
}

function checkpointOf(state: NodeLogState): LogEntry {
  const head = { ...writerOf(1, state.epoch), needs: state.needs, nonce: NONCE };
  return throughBytes({
    ...head,
    kind: "node_checkpoint",
    position: state.position,
    ...encodeCheckpoint(state),
  });
}

function plain({ flushes, ...state }: NodeLogState) {
  return { ...state, flushes: [...flushes] };
}

function entryOf(kind: RecordKind, epoch: number, position: number): LogEntry {
  const content = kind === "flush" ? encodeFlush(1n, []) : { body: {}, payload: NO_BYTES };
  return { ...writerOf(1, epoch), kind, position, nonce: NONCE, needs: NEEDS_NOTHING, ...content };
}

suite("state of a node log", () => {
  test("a checkpoint anywhere stands for all entries up to it", () => {
    fc.assert(
      fc.property(aHistory, (steps) => {
        for (const state of replay(steps))
          assert.deepEqual(plain(nodeLogMachine.restore(checkpointOf(state))), plain(state));
      }),
      { numRuns: 40 },
    );
  });

  test("each row is in a snapshot or in a flush, never in both, never in none", () => {
    fc.assert(
      fc.property(aHistory, (steps) => {
        for (const state of replay(steps)) {
          const flushed = [...state.flushes].map(({ position }) => position);
          for (const position of flushed) assert.ok(position > state.snapshotted);
          const throughs = state.snapshots.map(({ through }) => through);
          assert.equal(throughs.at(-1) ?? 0, state.snapshotted);
          assert.deepEqual(
            throughs,
            throughs.toSorted((a, b) => a - b),
          );
        }
      }),
      { numRuns: 40 },
    );
  });

  test("states before stay as they were", () => {
    fc.assert(
      fc.property(aHistory, (steps) => {
        const early = replay(steps.slice(0, 10));
        const before = early.map((state) => toJson(plain(state)));
        const last = early.at(-1);
        assert.ok(last);
        const more = nextEntry(last, { kind: "flush", jump: 1 });
        assert.ok(more);
        nodeLogMachine.apply(last, more);
        assert.deepEqual(
          early.map((state) => toJson(plain(state))),
          before,
        );
      }),
      { numRuns: 20 },
    );
  });

  test("it needs the most that any of its entries needs", () => {
    const first = { ...entryOf("fence", 1, 1), needs: { catalog: 9, manifest: 1 } };
    const second = { ...entryOf("flush", 1, 2), needs: { catalog: 3, manifest: 4 } };
    const state = nodeLogMachine.apply(nodeLogMachine.apply(nodeLogMachine.empty, first), second);
    assert.deepEqual(state.needs, { catalog: 9, manifest: 4 });
  });

  test("without what is adopted it needs the manifest that has it, and holds the same rows", () => {
    const [state] = replay([
      { kind: "fence", jump: 1 },
      { kind: "flush", jump: 1 },
      { kind: "snapshot", jump: 1 },
      { kind: "flush", jump: 1 },
      { kind: "snapshot", jump: 1 },
      { kind: "flush", jump: 1 },
    ]).slice(-1);
    assert.ok(state);
    assert.deepEqual(contentOf(state), ["file 3", "file 5", "6", "more"]);
    const less = withoutAdopted(state, { position: 2, manifest: 70 });
    assert.deepEqual(contentOf(less), ["file 5", "6", "more"]);
    assert.equal(less.needs.manifest, 70);
    assert.equal(less.snapshotted, 4);
    assert.equal(withoutAdopted(state, { position: 1, manifest: 70 }), state);
    assert.deepEqual(contentOf(withoutAdopted(state, { position: 4, manifest: 70 })), [
      "6",
      "more",
    ]);
  });

  const AFTER_EPOCH_3: readonly (readonly [string, LogEntry])[] = [
    ["an entry of an older epoch", entryOf("flush", 2, 2)],
    ["a fence of an older epoch", entryOf("fence", 2, 2)],
    ["a second fence of the same epoch", entryOf("fence", 3, 2)],
    ["an entry of an epoch that no fence began", entryOf("flush", 4, 2)],
  ];
  for (const [what, wrong] of AFTER_EPOCH_3) {
    test(`${what} is damage`, () => {
      const state = nodeLogMachine.apply(nodeLogMachine.empty, entryOf("fence", 3, 1));
      assert.throws(() => nodeLogMachine.apply(state, wrong), {
        kind: "corrupt",
        code: "log_epoch_wrong",
      });
    });
  }

  test("a log begins with a fence", () => {
    assert.throws(() => nodeLogMachine.apply(nodeLogMachine.empty, entryOf("flush", 1, 1)), {
      code: "log_epoch_wrong",
    });
  });

  test("a record of another log is foreign", () => {
    const state = nodeLogMachine.apply(nodeLogMachine.empty, entryOf("fence", 3, 1));
    for (const kind of ["transaction", "adopt", "stone", "node_checkpoint"] as const)
      assert.throws(() => nodeLogMachine.apply(state, entryOf(kind, 3, 2)), {
        kind: "corrupt",
        code: "record_foreign",
      });
    assert.throws(() => nodeLogMachine.restore(entryOf("catalog_checkpoint", 3, 2)), {
      code: "record_foreign",
    });
  });

  test("a log of version 1 is read for ever, and written the same", () => {
    const text = readFileSync(new URL("testdata/node-log-v1.hex", import.meta.url), "utf8");
    const objects = text
      .trim()
      .split("\n")
      .map((line) => Uint8Array.from(Buffer.from(line, "hex")));
    let state = nodeLogMachine.empty;
    for (const [index, bytes] of objects.slice(0, -1).entries())
      state = nodeLogMachine.apply(
        state,
        fromEnvelope(decodeEnvelope(`${index}`, bytes), `${index}`, index + 1),
      );
    const [last] = objects.slice(-1);
    assert.ok(last);
    const checkpoint = fromEnvelope(decodeEnvelope("checkpoint", last), "checkpoint", 5);
    assert.deepEqual(plain(nodeLogMachine.restore(checkpoint)), plain(state));
    assert.deepEqual(contentOf(state), ["file", "second", "third"]);
    const { flushes, snapshots, ...rest } = state;
    assert.deepEqual(rest, {
      position: 5,
      epoch: 4,
      fences: [
        { epoch: 2, position: 1 },
        { epoch: 4, position: 4 },
      ],
      lastStamp: 2n ** 62n,
      snapshotted: 2,
      needs: { catalog: 8, manifest: 3 },
    });
    assert.equal(flushes.length, 1);
    assert.deepEqual(snapshots, [{ through: 2, stamp: 7n, files: [fileOf("file")] }]);
    for (const bytes of objects)
      assert.ok(equalBytes(encodeEnvelope(decodeEnvelope("key", bytes)), bytes));
    assert.ok(equalBytes(checkpointBytes(state), last));
  });
});

function checkpointBytes(state: NodeLogState): Uint8Array {
  const record = {
    kind: "node_checkpoint",
    ...writerOf(1, state.epoch),
    needs: state.needs,
    ...encodeCheckpoint(state),
  } as const;
  return encodeEnvelope(toEnvelope(record, state.position, NONCE));
}
