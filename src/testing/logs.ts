/** Object logs for tests: ports on any store, stores that misbehave on purpose, and a machine whose state is a list of words. */
import { crc32 } from "#base/crc32.ts";
import { assert } from "#base/errors.ts";
import type { NodeNumber, Position } from "#model/ids.ts";
import { encodeEnvelope } from "#objectlog/envelope.ts";
import type { ObjectLogPorts } from "#objectlog/object-log.ts";
import { type LogRecord, NEEDS_NOTHING, toEnvelope } from "#objectlog/record.ts";
import type { SharedMachine, Writer } from "#objectlog/shared-log.ts";
import type { Clock } from "#ports/clock.ts";
import { silentLog } from "#ports/log.ts";
import type { ObjectStore } from "#ports/object-store.ts";
import { seededRandom } from "#ports/random.ts";

/** A clock on which sleep takes its time at once. */
export function instantClock(): Clock {
  let nowMs = 0;
  return {
    nowNs: () => 1_767_225_600_000_000_000n + BigInt(Math.round(nowMs * 1e6)),
    monotonicMs: () => nowMs,
    async sleep(delayMs, signal) {
      signal?.throwIfAborted();
      nowMs += delayMs;
    },
  };
}

/** Different seeds make different nonces. */
export function logPorts(store: ObjectStore, seed = 1): ObjectLogPorts {
  return { store, clock: instantClock(), random: seededRandom(seed), log: silentLog };
}

/** `inner`, of which some methods are `changed`. */
export function storeWith(inner: ObjectStore, changed: Partial<ObjectStore>): ObjectStore {
  return {
    putIfAbsent: (key, body) => inner.putIfAbsent(key, body),
    put: (key, body) => inner.put(key, body),
    get: (key) => inner.get(key),
    list: (prefix, options) => inner.list(prefix, options),
    delete: (key) => inner.delete(key),
    ...changed,
  };
}

/** A signal that nobody aborts. */
export function neverAborted(): AbortSignal {
  return new AbortController().signal;
}

export function writerOf(node: number, epoch: number): Writer {
  return { node: node as NodeNumber, epoch };
}

/** What the log of words adds up to. */
export interface Words {
  readonly position: Position;
  readonly words: readonly string[];
  readonly epochs: ReadonlyMap<NodeNumber, number>;
}

const NO_WORDS: Words = { position: 0, words: [], epochs: new Map() };

/** A machine that keeps the words of its entries, and refuses the word "impossible". */
export const wordsMachine = {
  empty: NO_WORDS,
  apply(state, { position, body, node, epoch }): Words {
    const { word } = body as { word: string };
    assert(word !== "impossible", "the word is possible");
    const known = state.epochs.get(node) ?? 0;
    const epochs = new Map(state.epochs).set(node, Math.max(known, epoch));
    return { position, words: [...state.words, word], epochs };
  },
  restore({ position, body }): Words {
    const { words, epochs } = body as { words: string[]; epochs: [NodeNumber, number][] };
    return { position, words, epochs: new Map(epochs) };
  },
  writerEpoch: (state, node) => state.epochs.get(node) ?? 0,
  checkpoint: ({ words, epochs }, writer) => ({
    ...wordRecord("", writer),
    kind: "catalog_checkpoint",
    body: { words, epochs: [...epochs] },
  }),
} satisfies SharedMachine<Words>;

export function wordRecord(word: string, writer = writerOf(1, 1)): LogRecord {
  const payload = new Uint8Array(0);
  return { kind: "transaction", ...writer, needs: NEEDS_NOTHING, body: { word }, payload };
}

/** The object of a record as a later version of the program might write it: whole, and of a kind that nobody here knows. */
export function laterObject(record: LogRecord, position: Position): Uint8Array {
  const bytes = encodeEnvelope(toEnvelope(record, position, "0".repeat(32)));
  const view = new DataView(bytes.buffer);
  view.setUint16(4, 999, true);
  view.setUint32(8, crc32(bytes.subarray(12), crc32(bytes.subarray(0, 8))), true);
  return bytes;
}
