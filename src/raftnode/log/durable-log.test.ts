import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { utf8 } from "#base/bytes.ts";
import { DbError } from "#base/errors.ts";
import { silentLog } from "#ports/log.ts";
import { below, type Random, seededRandom } from "#ports/random.ts";
import { peerId } from "#raft/message.ts";
import { diskError, MemoryDisk } from "#testing/raft/disk.ts";
import { DurableLog } from "./durable-log.ts";
import { encodeItems, type LogItem } from "./items.ts";
import { LogState } from "./log-state.ts";
import { encodeRecord } from "./segment.ts";

const FOLDER = "node/raft";
const configuration = {
  voters: [1, 2, 3].map(peerId),
  votersOutgoing: [],
  learners: [],
  learnersNext: [],
  autoLeave: false,
};

function openLog(disk: MemoryDisk, segmentSize = 700): Promise<DurableLog> {
  return DurableLog.open(disk, FOLDER, { random: seededRandom(7), log: silentLog, segmentSize });
}

/** All that can be seen of a state. */
function seen(state: LogState): string {
  const entries = state.slice(state.firstIndex, state.lastIndex + 1, Number.MAX_SAFE_INTEGER);
  return JSON.stringify({
    hardState: state.hardState,
    mark: state.mark,
    compacted: state.compacted,
    entries: entries.map(({ term, index, kind, data }) => [term, index, kind, [...data].join()]),
  });
}

/** What a member of a group might append next, made of chance. */
function anyItems(state: LogState, random: Random): readonly LogItem[] {
  const { term, vote, commit } = state.hardState;
  const items: LogItem[] = [];
  if (below(random, 3) === 0)
    items.push({ kind: "hardState", hardState: { term: term + below(random, 2), vote, commit } });
  const draw = below(random, 12);
  if (draw === 0 && state.lastIndex > state.firstIndex) {
    const index = state.firstIndex + below(random, state.lastIndex - state.firstIndex + 1);
    const position = { index, term: state.term(index) ?? 0 };
    items.push({ kind: "snapshot", mark: { ...position, configuration } });
    items.push({ kind: "compacted", position });
    return items;
  }
  if (draw === 1) {
    const index = state.lastIndex + below(random, 4);
    if (index <= state.compacted.index) return items;
    items.push({ kind: "installed", mark: { index, term: term + 1, configuration } });
    return items;
  }
  const back = below(random, 4) === 0 ? below(random, 4) : 0;
  const first = Math.max(state.firstIndex, state.lastIndex + 1 - back);
  const entries = Array.from({ length: 1 + below(random, 3) }, (_, index) => ({
    term: term + 1,
    index: first + index,
    kind: "normal" as const,
    data: new Uint8Array(below(random, 40)).fill(1 + below(random, 255)),
  }));
  items.push({ kind: "entries", entries });
  return items;
}

/** Appends `count` times, one after another; what was seen after each, the empty log first. */
async function written(
  disk: MemoryDisk,
  count: number,
  seed: number,
  { compacts = true } = {},
): Promise<readonly string[]> {
  await using log = await openLog(disk);
  const random = seededRandom(seed);
  const states = [seen(log.state)];
  for (let index = 0; index < count; index++) {
    const items = anyItems(log.state, random);
    if (!compacts && items.some(({ kind }) => kind === "installed" || kind === "compacted"))
      continue;
    await log.append(items);
    states.push(seen(log.state));
  }
  return states;
}

/** A disk with the same files. */
async function copyOf(disk: MemoryDisk): Promise<MemoryDisk> {
  const copy = new MemoryDisk();
  await copy.makeFolder(FOLDER);
  for (const name of await disk.list(FOLDER))
    copy.put(`${FOLDER}/${name}`, disk.bytes(`${FOLDER}/${name}`).slice());
  return copy;
}

async function recovered(disk: MemoryDisk): Promise<string> {
  await using log = await openLog(disk);
  return seen(log.state);
}

async function lastPath(disk: MemoryDisk): Promise<string> {
  return `${FOLDER}/${(await disk.list(FOLDER)).at(-1)}`;
}

function entry(index: number): LogItem {
  const data = utf8(`entry ${index}`);
  return { kind: "entries", entries: [{ term: 1, index, kind: "normal", data }] };
}

suite("the durable log", () => {
  test("is after a restart what it was before, and goes on", async () => {
    for (let seed = 0; seed < 30; seed++) {
      const disk = new MemoryDisk();
      const states = await written(disk, 40, seed);
      assert.equal(await recovered(disk), states.at(-1), `seed ${seed}`);
      await using log = await openLog(disk);
      const added = {
        term: 99,
        index: log.state.lastIndex + 1,
        kind: "normal" as const,
        data: utf8("x"),
      };
      await log.append([{ kind: "entries", entries: [added] }]);
      assert.equal(await recovered(disk), seen(log.state), `seed ${seed}`);
    }
  });

  test("cut at any byte of its last segment is a prefix of what was written, without what was cut alone", async () => {
    for (let seed = 0; seed < 6; seed++) {
      const disk = new MemoryDisk();
      // With all its segments: what a removed one held is not found in the cut one.
      const states = await written(disk, 25, seed, { compacts: false });
      const path = await lastPath(disk);
      const whole = disk.bytes(path);
      let previous = -1;
      for (let size = 0; size <= whole.length; size++) {
        const cut = await copyOf(disk);
        cut.put(path, whole.slice(0, size));
        const position = states.lastIndexOf(await recovered(cut));
        assert.ok(
          position >= previous,
          `seed ${seed}: ${size} bytes give state ${position}, fewer gave ${previous}`,
        );
        previous = position;
      }
      assert.equal(previous, states.length - 1);
    }
  });

  test("refuses any byte that is changed before its last record, and names the file and the place", async () => {
    const disk = new MemoryDisk();
    const states = await written(disk, 25, 3);
    const names = await disk.list(FOLDER);
    assert.ok(names.length > 1, "several segments");
    for (const name of names) {
      const path = `${FOLDER}/${name}`;
      const bytes = disk.bytes(path);
      for (let offset = 0; offset < bytes.length; offset++) {
        const changed = await copyOf(disk);
        const copy = bytes.slice();
        copy[offset] = (copy[offset] as number) ^ (1 << (offset % 8));
        changed.put(path, copy);
        const outcome = await recovered(changed).catch((error: unknown) => error);
        if (typeof outcome === "string") {
          assert.equal(name, names.at(-1), `${name} at ${offset} was taken`);
          assert.ok(
            outcome === states.at(-2) || outcome === states.at(-1),
            `${offset} lost more than the last record`,
          );
          continue;
        }
        assert.ok(
          outcome instanceof DbError && outcome.code === "raft_log_damaged",
          String(outcome),
        );
        assert.equal(outcome.detail["path"], path);
        assert.ok(Number(outcome.detail["offset"]) <= offset);
      }
    }
  });

  test("refuses a log whose segment in the middle is gone", async () => {
    const disk = new MemoryDisk();
    await written(disk, 80, 3, { compacts: false });
    const names = await disk.list(FOLDER);
    assert.ok(names.length > 2);
    await disk.remove(`${FOLDER}/${names[1]}`);
    await assert.rejects(openLog(disk), { code: "raft_log_damaged" });
  });

  test("keeps what was acknowledged through failures of power and of the disk at any call, whatever sectors are lost", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 4 }),
        async (seed, lives) => {
          const random = seededRandom(seed);
          const disk = new MemoryDisk();
          // One life after another, each of which ends at its n-th call: the power fails, or the disk.
          let least = "";
          for (const callsMax of lives) {
            const states = await liveUntilFailure(disk, random, { least, callsMax });
            disk.fault = undefined;
            const state = await recovered(disk);
            assert.ok(
              states.includes(state),
              "what is there is what was acknowledged, or on its way",
            );
            least = state;
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  test("is dead after a failed sync, and what it had not acknowledged may be there or not", async () => {
    for (const [call, errno] of [
      ["sync", "EIO"],
      ["write", "ENOSPC"],
    ] as const) {
      const disk = new MemoryDisk();
      const log = await openLog(disk);
      await log.append([entry(1)]);
      disk.fault = (made) => {
        if (made === call) throw diskError(errno, "disk");
      };
      await assert.rejects(log.append([entry(2)]), {
        code: "raft_log_failed",
        kind: "unavailable",
      });
      disk.fault = undefined;
      await assert.rejects(log.append([entry(2)]), { code: "raft_log_failed" });
      await log[Symbol.asyncDispose]();
      // Read back from memory, not from the disk: from then on it must last.
      const state = await recovered(disk);
      disk.failPower(seededRandom(1));
      assert.equal(await recovered(disk), state);
      assert.match(state, /^.*\[1,1,"normal"/);
    }
  });

  test("syncs once for all that came while it synced", async () => {
    const disk = new MemoryDisk();
    await using log = await openLog(disk);
    const before = log.syncCount;
    const appends = Array.from({ length: 100 }, (_, index) =>
      log.append([
        {
          kind: "entries",
          entries: [{ term: 1, index: index + 1, kind: "normal", data: utf8("x") }],
        },
      ]),
    );
    await Promise.all(appends);
    assert.ok(log.syncCount - before <= 2, `${log.syncCount - before} syncs`);
    assert.equal(log.state.lastIndex, 100);
  });

  test("removes segments whose entries are all compacted, and knows the vote of the first one still", async () => {
    const disk = new MemoryDisk();
    await using log = await openLog(disk);
    const hardState = { term: 5, vote: peerId(2), commit: 0 };
    await log.append([{ kind: "hardState", hardState }]);
    for (let index = 1; index <= 60; index++)
      await log.append([
        {
          kind: "entries",
          entries: [{ term: 5, index, kind: "normal", data: new Uint8Array(30) }],
        },
      ]);
    const before = log.segmentCount;
    await log.append([
      { kind: "snapshot", mark: { index: 50, term: 5, configuration } },
      { kind: "compacted", position: { index: 50, term: 5 } },
    ]);
    await log.append([]);
    assert.ok(log.segmentCount < before / 2, `${log.segmentCount} of ${before} are left`);
    assert.equal((await disk.list(FOLDER)).length, log.segmentCount);
    assert.equal(await recovered(disk), seen(log.state));
    assert.deepEqual(log.state.hardState, hardState);
  });

  test("does not take an entry's data for a record, though it be a copy of one", async () => {
    const disk = new MemoryDisk();
    const states = await written(disk, 3, 1);
    const path = await lastPath(disk);
    // Six bytes before it, so that the copies begin where records may.
    const forged = Uint8Array.from([0, 0, 0, 0, 0, 0, ...disk.bytes(path).slice(32)]);
    const other = new MemoryDisk();
    await other.makeFolder(FOLDER);
    const options = { random: seededRandom(8), log: silentLog, segmentSize: 10_000 };
    const items: LogItem = {
      kind: "entries",
      entries: [{ term: 1, index: 1, kind: "normal", data: forged }],
    };
    {
      await using log = await DurableLog.open(other, FOLDER, options);
      await log.append([items]);
    }
    // The record that holds it is torn in its first byte.
    const bytes = other.bytes(await lastPath(other)).slice();
    const record = encodeRecord(2, encodeItems([items]), 0);
    bytes[bytes.length - record.length] = 0xff;
    other.put(await lastPath(other), bytes);
    assert.equal(await recovered(other), states[0]);
  });
});

/** The states that may be there after it. */
async function liveUntilFailure(
  disk: MemoryDisk,
  random: Random,
  life: { readonly least: string; readonly callsMax: number },
): Promise<readonly string[]> {
  let calls = 0;
  const powerFails = below(random, 2) === 0;
  disk.fault = (_, path) => {
    calls += 1;
    if (calls < life.callsMax) return;
    if (calls === life.callsMax && powerFails) disk.failPower(random);
    throw diskError("EIO", path);
  };
  let possible = [life.least];
  try {
    const log = await openLog(disk);
    if (life.least !== "") assert.equal(seen(log.state), life.least);
    possible = [seen(log.state)];
    while (true) {
      // What each of several appends would make of the state, were it the last to arrive.
      const next = new LogState();
      copyInto(next, log.state);
      const results: Promise<unknown>[] = [];
      for (let count = 1 + below(random, 3); count > 0; count--) {
        const items = anyItems(next, random);
        for (const item of items) next.apply(item);
        possible.push(seen(next));
        results.push(log.append(items));
      }
      await Promise.all(results);
      possible = [seen(log.state)];
    }
  } catch (error) {
    if (!(error instanceof DbError && error.code === "raft_log_failed")) throw error;
  }
  return possible[0] === "" ? [...possible, seen(new LogState())] : possible;
}

function copyInto(target: LogState, source: LogState): void {
  for (const item of source.summary()) target.apply(item);
  const entries = source.slice(source.firstIndex, source.lastIndex + 1, Number.MAX_SAFE_INTEGER);
  target.apply({ kind: "entries", entries });
}
