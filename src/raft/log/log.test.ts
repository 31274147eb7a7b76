import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { type Entry, peerId, type Snapshot } from "../message.ts";
import { RaftLog } from "./log.ts";
import { MemoryStorage } from "./memory-storage.ts";

const CONFIGURATION = {
  voters: [peerId(1)],
  votersOutgoing: [],
  learners: [],
  learnersNext: [],
  autoLeave: false,
};

suite("the log of a raft node", () => {
  test("is that of the leader, whatever is on disk of it, after any writing, commit and compaction", () => {
    const operations = fc.oneof(
      fc.record({ kind: fc.constant("append" as const), back: fc.nat(4), count: fc.nat(3) }),
      fc.record({ kind: fc.constant("write" as const) }),
      fc.record({ kind: fc.constant("written" as const) }),
      fc.record({ kind: fc.constant("commit" as const), count: fc.nat(3) }),
      fc.record({ kind: fc.constant("apply" as const), unstableAllowed: fc.boolean() }),
      fc.record({ kind: fc.constant("compact" as const) }),
    );
    fc.assert(
      fc.property(fc.array(operations, { maxLength: 60 }), (all) => {
        const world = new LogWorld();
        for (const operation of all) {
          world.run(operation);
          world.check();
        }
        world.checkDisk();
      }),
      { numRuns: 300 },
    );
  });

  test("an entry of an older term is not committed by counting", () => {
    const log = new RaftLog(new MemoryStorage(), 1000);
    log.append([entry(1, 1), entry(1, 2), entry(3, 3)]);
    assert.equal(log.maybeCommit({ term: 3, index: 2 }), false);
    assert.equal(log.committed, 0);
    assert.equal(log.maybeCommit({ term: 3, index: 3 }), true);
    assert.equal(log.committed, 3);
  });

  test("nothing that is committed is overwritten, and nothing committed that is not there", () => {
    const log = new RaftLog(new MemoryStorage(), 1000);
    log.append([entry(1, 1), entry(1, 2)]);
    log.commitTo(1);
    const other = [entry(2, 1)];
    assert.throws(() => log.maybeAppend({ term: 0, index: 0 }, other, 0), /would overwrite/);
    assert.throws(() => log.commitTo(3), /cannot be committed/);
    log.commitTo(0);
    assert.equal(log.committed, 1);
  });

  test("a log with a later last term, or of the same and longer, is up to date", () => {
    const log = new RaftLog(new MemoryStorage(), 1000);
    log.append([entry(1, 1), entry(2, 2)]);
    const upToDate = [
      { term: 2, index: 2 },
      { term: 2, index: 3 },
      { term: 3, index: 1 },
    ];
    for (const last of upToDate) assert.ok(log.isUpToDate(last));
    assert.ok(!log.isUpToDate({ term: 2, index: 1 }));
    assert.ok(!log.isUpToDate({ term: 1, index: 9 }));
  });

  test("a snapshot is stored before anything above it is applied", () => {
    const storage = new MemoryStorage();
    const log = new RaftLog(storage, 1000);
    const snapshot: Snapshot = {
      index: 5,
      term: 2,
      configuration: CONFIGURATION,
      data: new Uint8Array(),
    };
    log.restore(snapshot);
    log.append([entry(2, 6)]);
    log.commitTo(6);
    assert.equal(log.term(5), 2);
    assert.equal(log.hasNextCommittedEntries(true), false);
    assert.deepEqual(log.nextCommittedEntries(true), []);
    assert.equal(log.nextUnstableSnapshot(), snapshot);
    log.acceptUnstable();
    assert.equal(log.nextUnstableSnapshot(), undefined);
    storage.applySnapshot(snapshot);
    log.stableSnapshotTo(5);
    log.appliedTo(5, 0);
    assert.deepEqual(log.nextCommittedEntries(true), [entry(2, 6)]);
  });

  test("where a peer's log may agree, entries of later terms are passed over", () => {
    const log = new RaftLog(new MemoryStorage(), 1000);
    log.append([entry(1, 1), entry(1, 2), entry(4, 3), entry(4, 4)]);
    assert.deepEqual(log.findConflict({ term: 2, index: 4 }), { term: 1, index: 2 });
    assert.deepEqual(log.findConflict({ term: 4, index: 4 }), { term: 4, index: 4 });
    assert.deepEqual(log.findConflict({ term: 0, index: 4 }), { term: 0, index: 0 });
  });

  test("entries are read from disk and memory alike, as many as fit and at least one", () => {
    const storage = new MemoryStorage();
    storage.append([entry(1, 1), entry(1, 2)]);
    const log = new RaftLog(storage, 1000);
    log.append([entry(1, 3), entry(1, 4)]);
    const indexes = (sizeBytesMax: number) =>
      log.slice(1, 5, sizeBytesMax)?.map(({ index }) => index);
    assert.deepEqual(indexes(1000), [1, 2, 3, 4]);
    assert.deepEqual(indexes(0), [1]);
    const each = 24 + entry(1, 1).data.length;
    assert.deepEqual(indexes(each * 3), [1, 2, 3]);
    assert.deepEqual(indexes(each * 3 - 1), [1, 2]);
    assert.deepEqual(indexes(each * 2), [1, 2]);
  });
});

type Operation =
  | { kind: "append"; back: number; count: number }
  | { kind: "write" | "written" | "compact" }
  | { kind: "commit"; count: number }
  | { kind: "apply"; unstableAllowed: boolean };

/** A log, and what it should hold. Each append is of a new leader, and goes back behind the end of the log. */
class LogWorld {
  readonly #storage = new MemoryStorage();
  readonly #log = new RaftLog(this.#storage, 200);
  #expected: Entry[] = [];
  #applied: Entry[] = [];
  #term = 1;
  /** Handed out, on the way to the disk or back: what is said once it is there. */
  #writing: { entries: readonly Entry[]; said: Entry | undefined }[] = [];

  run(operation: Operation): void {
    switch (operation.kind) {
      case "append":
        this.#append(operation);
        return;
      case "write": {
        const entries = this.#log.nextUnstableEntries();
        const said = this.#log.hasUnstableEntries() ? this.#expected.at(-1) : undefined;
        this.#writing.push({ entries, said });
        this.#log.acceptUnstable();
        return;
      }
      case "written": {
        const done = this.#writing.shift();
        if (done === undefined) return;
        this.#storage.append(done.entries);
        // As the node does: what was said before the last leader came is passed over.
        if (done.said?.term === this.#term) this.#log.stableTo(done.said);
        return;
      }
      case "commit":
        this.#log.commitTo(Math.min(this.#log.committed + operation.count, this.#expected.length));
        return;
      case "apply": {
        const { unstableAllowed } = operation;
        const entries = this.#log.nextCommittedEntries(unstableAllowed);
        this.#applied.push(...entries);
        this.#log.acceptApplying(entries, unstableAllowed);
        const last = entries.at(-1);
        if (last !== undefined) this.#log.appliedTo(last.index, 1000);
        return;
      }
      case "compact":
        this.#storage.compact(Math.min(this.#log.applied, this.#storage.lastIndex()));
    }
  }

  check(): void {
    const first = this.#log.firstIndex();
    assert.equal(this.#log.lastIndex(), this.#expected.length);
    const entries = this.#log.entriesFrom(first, Number.POSITIVE_INFINITY);
    assert.deepEqual(entries, this.#expected.slice(first - 1));
    for (let index = first; index <= this.#expected.length; index += 1) {
      assert.equal(this.#log.term(index), this.#expected[index - 1]?.term);
    }
    assert.equal(this.#log.term(this.#expected.length + 1), undefined);
    assert.deepEqual(this.#applied, this.#expected.slice(0, this.#log.applied));
  }

  /** Once all is written, the disk holds the log. */
  checkDisk(): void {
    this.run({ kind: "write" });
    while (this.#writing.length > 0) this.run({ kind: "written" });
    const first = this.#storage.firstIndex();
    const stored = this.#storage.entries(first, this.#storage.lastIndex() + 1, Number.MAX_VALUE);
    assert.deepEqual(stored, this.#expected.slice(first - 1));
    this.check();
  }

  #append({ back, count }: { back: number; count: number }): void {
    const kept = Math.max(this.#log.committed, this.#expected.length - back);
    this.#term += 1;
    const added = Array.from({ length: count + 1 }, (_, i) => entry(this.#term, kept + i + 1));
    const previous = { term: this.#log.term(kept) ?? 0, index: kept };
    assert.equal(this.#log.maybeAppend(previous, added, 0), kept + count + 1);
    this.#expected = [...this.#expected.slice(0, kept), ...added];
  }
}

function entry(term: number, index: number): Entry {
  return { term, index, kind: "normal", data: new TextEncoder().encode(`${term}/${index}`) };
}
