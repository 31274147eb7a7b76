import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { AppendList } from "#base/collection/append-list.ts";
import { DbError } from "#base/errors.ts";
import type { FlushBlock } from "#model/flush.ts";
import type { DatabaseId, TableId } from "#model/ids.ts";
import { decodeEnvelope, encodeEnvelope } from "#objectlog/envelope.ts";
import { fromEnvelope, type LogEntry, NEEDS_NOTHING, toEnvelope } from "#objectlog/record.ts";
import { writerOf } from "#testing/logs.ts";
import { blockOf, fileOf } from "#testing/node-logs.ts";
import type { NodeLogState } from "./node-log-state.ts";
import {
  decodeCheckpoint,
  decodeFlush,
  decodeSnapshot,
  encodeCheckpoint,
  encodeFlush,
} from "./records.ts";

const HEAD = { ...writerOf(1, 2), needs: NEEDS_NOTHING, position: 9, nonce: "0".repeat(32) };
const NO_BYTES = new Uint8Array(0);

/** Objects as programs make them, with a prototype. */
const PLAIN = { noNullPrototype: true } as const;

const aBlock = fc.record(
  {
    databaseId: fc.nat().map((id) => id as DatabaseId),
    tableId: fc.nat().map((id) => id as TableId),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 20 }),
  },
  PLAIN,
);
const aStamp = fc.bigInt(1n, 2n ** 63n - 1n);
const aSnapshot = fc.record(
  {
    through: fc.nat(),
    stamp: aStamp,
    files: fc.array(
      fc.string().map((key) => fileOf(key)),
      { maxLength: 3 },
    ),
  },
  PLAIN,
);
const aState: fc.Arbitrary<NodeLogState> = fc.record(
  {
    position: fc.constant(9),
    epoch: fc.nat(),
    fences: fc.array(fc.record({ epoch: fc.nat(), position: fc.nat() }, PLAIN)),
    lastStamp: aStamp,
    snapshotted: fc.nat(),
    snapshots: fc.array(aSnapshot, { maxLength: 3 }),
    flushes: fc
      .array(fc.record({ position: fc.nat(), stamp: aStamp, blocks: fc.array(aBlock) }, PLAIN), {
        maxLength: 4,
      })
      .map((flushes) => AppendList.of(flushes)),
    needs: fc.constant(NEEDS_NOTHING),
  },
  PLAIN,
);

/** The entry as it comes out of the store. */
function stored(kind: LogEntry["kind"], content: { body: unknown; payload: Uint8Array }): LogEntry {
  const envelope = toEnvelope({ ...HEAD, kind, ...content }, HEAD.position, HEAD.nonce);
  return fromEnvelope(decodeEnvelope("key", encodeEnvelope(envelope)), "key", HEAD.position);
}

suite("records of a node log", () => {
  test("a flush is read back as it was written", () => {
    fc.assert(
      fc.property(aStamp, fc.array(aBlock, { maxLength: 5 }), (stamp, blocks) => {
        const read = decodeFlush(stored("flush", encodeFlush(stamp, blocks)));
        assert.deepEqual(read, { position: 9, stamp, blocks });
      }),
    );
  });

  test("a snapshot is read back as it was written", () => {
    fc.assert(
      fc.property(aSnapshot, (snapshot) => {
        const entry = stored("snapshot", { body: snapshot, payload: NO_BYTES });
        assert.deepEqual(decodeSnapshot(entry), snapshot);
      }),
    );
  });

  test("a checkpoint is read back as the state that it was made of", () => {
    fc.assert(
      fc.property(aState, (state) => {
        const read = decodeCheckpoint(stored("node_checkpoint", encodeCheckpoint(state)));
        assert.deepEqual(
          { ...read, flushes: [...read.flushes] },
          { ...state, flushes: [...state.flushes] },
        );
      }),
    );
  });

  test("a block without bytes is a bug of the one who writes it", () => {
    const empty: FlushBlock = { ...blockOf("x"), bytes: NO_BYTES };
    assert.throws(() => encodeFlush(1n, [empty]), { code: "assertion_failed" });
  });
});

suite("damage in records of a node log", () => {
  const blocks = [blockOf("first"), blockOf("second")];
  const { body, payload } = encodeFlush(5n, blocks);

  test("bytes that are not those of the listed blocks are named", () => {
    for (let size = 0; size < payload.length; size++) {
      const entry = { ...HEAD, kind: "flush", body, payload: payload.subarray(0, size) } as const;
      assert.throws(() => decodeFlush(entry), { kind: "corrupt", code: "record_malformed" });
    }
    const longer = {
      ...HEAD,
      kind: "flush",
      body,
      payload: Uint8Array.from([...payload, 0]),
    } as const;
    assert.throws(() => decodeFlush(longer), { kind: "corrupt", code: "record_malformed" });
  });

  const BODIES: readonly (readonly [string, unknown])[] = [
    ["nothing", null],
    ["no stamp", { blocks: [] }],
    ["a stamp that is no number", { stamp: "1.5", blocks: [] }],
    ["a block of no bytes", { stamp: "1", blocks: [{ databaseId: 1, tableId: 1, sizeBytes: 0 }] }],
    ["a block of fewer", { stamp: "1", blocks: [{ databaseId: 1, tableId: 1, sizeBytes: -1 }] }],
    ["half a byte", { stamp: "1", blocks: [{ databaseId: 1, tableId: 1, sizeBytes: 0.5 }] }],
  ];
  for (const [what, wrong] of BODIES) {
    test(`a flush of ${what} is refused`, () => {
      const entry = { ...HEAD, kind: "flush", body: wrong, payload: NO_BYTES } as const;
      assert.throws(() => decodeFlush(entry), { kind: "corrupt", code: "record_malformed" });
    });
  }

  test("bodies of any other JSON are damage, never a bug", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (anything) => {
        for (const decode of [decodeFlush, decodeSnapshot, decodeCheckpoint]) {
          const entry = { ...HEAD, kind: "flush", body: anything, payload: NO_BYTES } as const;
          try {
            decode(entry);
          } catch (error) {
            assert.ok(error instanceof DbError && error.kind === "corrupt", String(error));
          }
        }
      }),
    );
  });
});
