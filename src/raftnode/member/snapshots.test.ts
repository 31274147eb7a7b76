import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { silentLog } from "#ports/log.ts";
import { type Message, message, peerId } from "#raft/message.ts";
import { MemoryDisk } from "#testing/raft/disk.ts";
import { realClock, realRandom } from "#testing/raft/real.ts";
import type { SnapshotMark } from "../log/items.ts";
import { LogState } from "../log/log-state.ts";
import { SnapshotFolder } from "../snapshot/snapshot-folder.ts";
import { TcpTransport } from "../transport/tcp-transport.ts";
import { Snapshots } from "./snapshots.ts";

interface Kept {
  readonly snapshots: Snapshots;
  readonly folder: SnapshotFolder;
  readonly state: LogState;
  /** Indexes of those that the core was told of. */
  readonly told: number[];
}

/** Snapshots whose core takes all of them. */
async function keep(): Promise<Kept> {
  const state = new LogState();
  const folder = await SnapshotFolder.open(new MemoryDisk(), "snapshots");
  const told: number[] = [];
  const snapshots = new Snapshots({
    folder,
    state,
    transport: new TcpTransport({
      self: peerId(1),
      group: "test",
      secret: undefined,
      tls: undefined,
      host: "127.0.0.1",
      port: 0,
      clock: realClock,
      random: realRandom,
      log: silentLog,
    }),
    clock: realClock,
    log: silentLog,
    signal: new AbortController().signal,
    store: async (make) => {
      for (const item of make()) state.apply(item);
    },
    receive: ({ snapshot }) => told.push(snapshot?.index ?? 0) > 0,
    sent: () => undefined,
    made: () => undefined,
    failed: (error) => assert.fail(String(error)),
    keptEntryCount: 0,
  });
  return { snapshots, folder, state, told };
}

function markAt(index: number): SnapshotMark {
  const configuration = {
    voters: [peerId(1), peerId(2)],
    votersOutgoing: [],
    learners: [],
    learnersNext: [],
    autoLeave: false,
  };
  return { index, term: 1, configuration };
}

function ofPeer(index: number): Message {
  const snapshot = { ...markAt(index), data: new Uint8Array() };
  return message({ kind: "snapshot", from: peerId(2), to: peerId(1), term: 1, snapshot });
}

/** A state that is waited for from `begun` on, and comes when `when` resolves. */
async function* stateAfter(
  when: Promise<void>,
  begun: () => void = () => undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  begun();
  await when;
  yield Uint8Array.of(1, 2, 3);
}

async function until(what: string, condition: () => boolean): Promise<void> {
  for (let waitedMs = 0; !condition(); waitedMs += 5) {
    assert.ok(waitedMs < 3_000, `in time: ${what}`);
    await pause(5);
  }
}

suite("snapshots of a raft member", () => {
  test("are made while one of a slow peer comes in, and neither takes the other's file", async () => {
    const { folder, snapshots, state, told } = await keep();
    const slow = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const receiving = snapshots.receive(ofPeer(30), stateAfter(slow.promise, begun.resolve));
    await begun.promise;
    snapshots.make(markAt(20), [Uint8Array.of(9)]);
    await until("one is made", () => state.mark?.index === 20 && !snapshots.making);
    assert.deepEqual(await Array.fromAsync(folder.read(markAt(20))), [Uint8Array.of(9)]);
    slow.resolve();
    await receiving;
    assert.deepEqual(told, [30]);
    assert.deepEqual(await Array.fromAsync(folder.read(markAt(30))), [Uint8Array.of(1, 2, 3)]);
  });

  test("of two peers are taken one after the other: not while the first is on its way into the log", async () => {
    const { folder, snapshots, told } = await keep();
    const [one, other] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const first = snapshots.receive(ofPeer(30), stateAfter(one.promise));
    const second = snapshots.receive(ofPeer(40), stateAfter(other.promise));
    one.resolve();
    other.resolve();
    await first;
    await assert.rejects(second, { code: "raft_busy" });
    assert.deepEqual(told, [30]);
    assert.equal((await Array.fromAsync(folder.read(markAt(30)))).length, 1);
    snapshots.installed();
    await snapshots.receive(ofPeer(40), stateAfter(other.promise));
    assert.deepEqual(told, [30, 40]);
  });
});
