import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { suite, test } from "node:test";
import { DbError } from "#base/errors.ts";
import { followed, followedAlong } from "#testing/followed-log.ts";
import { settle } from "#testing/hand-clock.ts";

suite("following a log", () => {
  test("loads what is there, then takes what comes, rows and all", async () => {
    await using world = await followed();
    const { writer, reader, follower } = world;
    await writer.write("m f=1 1");
    await follower.load();
    assert.equal(follower.state.position, 2);
    await writer.write("m f=2 2");
    await follower.poll();
    assert.equal(reader.buffer.of(writer.node).rowCount, 2);
    assert.equal((await reader.rows("SELECT f FROM m")).length, 2);
    await writer.snapshotter.take(new AbortController().signal);
    await follower.poll();
    await settle();
    assert.equal(reader.buffer.of(writer.node).sizeBytes, 0);
    assert.equal((await reader.rows("SELECT f FROM m")).length, 2);
  });

  test("without room for more rows it stops and says so, until they are in files", async () => {
    let full = false;
    await using world = await followed({ isFull: () => full });
    const { writer, reader, follower } = world;
    await writer.write("m f=1 1");
    await follower.load();
    full = true;
    await writer.write("m f=2 2");
    await writer.write("m f=3 3");
    await assert.rejects(follower.load(), { kind: "unavailable", code: "peer_rows_full" });
    assert.equal(reader.buffer.rowCount, 1);
    await assert.rejects(reader.rows("SELECT f FROM m"), { code: "peer_rows_full" });
    // It is full all the same: rows in files are passed over, not taken.
    await writer.snapshotter.take(new AbortController().signal);
    await follower.poll();
    assert.equal(reader.buffer.rowCount, 0);
    assert.equal(follower.state.position, writer.writer.state.position);
    full = false;
    await writer.write("m f=4 4");
    const end = new AbortController();
    const run = follower.run(end.signal);
    await settle();
    assert.equal(follower.trouble, undefined);
    assert.equal((await reader.rows("SELECT f FROM m")).length, 4);
    end.abort();
    await run;
  });

  test("without the rows, where only the records are wanted", async () => {
    await using world = await followed({ keepRows: false });
    await world.writer.write("m f=1 1");
    await world.follower.load();
    assert.equal(world.follower.state.position, 2);
    assert.equal(world.reader.buffer.rowCount, 0);
  });

  test("forgets snapshots that the manifest has, and then needs that manifest", async () => {
    let adopted = { position: 0, manifest: 0 };
    await using world = await followed({ adopted: () => adopted });
    const { writer, follower } = world;
    await writer.write("m f=1 1");
    await writer.snapshotter.take(new AbortController().signal);
    await follower.load();
    assert.equal(follower.state.snapshots.length, 1);
    adopted = { position: 2, manifest: 7 };
    await follower.poll();
    assert.deepEqual(follower.state.snapshots, []);
    assert.equal(follower.state.needs.manifest, 7);
  });
});

suite("rule 5: what is not there is the tail only after a list", () => {
  test("the first look lists, a follower that only waits does not", async () => {
    await using world = await followed();
    const { counting, follower, writer } = world;
    assert.ok((await counting.during(() => follower.load())) > 0);
    assert.equal(await counting.during(() => follower.poll()), 0);
    await writer.write("m f=1 1");
    assert.equal(await counting.during(() => follower.poll()), 0);
  });

  test("ten seconds without progress, or of standing still itself, make it list once", async () => {
    await using world = await followed();
    const { counting, follower, reader, writer } = world;
    await follower.load();
    await reader.clock.advance(9_999);
    assert.equal(await counting.during(() => follower.poll()), 0);
    await reader.clock.advance(1);
    assert.ok((await counting.during(() => follower.poll())) > 0);
    assert.equal(await counting.during(() => follower.poll()), 0);
    await reader.clock.advance(6_000);
    await writer.write("m f=1 1");
    await follower.poll();
    await reader.clock.advance(6_000);
    assert.equal(await counting.during(() => follower.poll()), 0, "progress counts");
  });

  test("a manifest that is ahead makes it list", async () => {
    let adopted = { position: 0, manifest: 0 };
    await using world = await followed({ adopted: () => adopted });
    await world.follower.load();
    adopted = { position: world.follower.state.position + 1, manifest: 1 };
    assert.ok((await world.counting.during(() => world.follower.poll())) > 0);
  });

  test("a position that somebody waits for makes it list, once for each time it is named", async () => {
    await using world = await followed();
    const { counting, follower } = world;
    await follower.load();
    follower.want(1_000_000);
    assert.ok((await counting.during(() => follower.poll())) > 0);
    assert.equal(await counting.during(() => follower.poll()), 0, "a made-up token costs one list");
    follower.want(follower.state.position);
    assert.equal(await counting.during(() => follower.poll()), 0);
  });

  test("entries that were deleted under a checkpoint are passed over by it", async () => {
    await using world = await followed();
    const { follower, reader, writer } = world;
    await follower.load();
    for (let time = 1; time <= 4; time++) await writer.write(`m f=1 ${time}`);
    await writer.snapshotter.take(new AbortController().signal);
    await writer.writer.checkpoint({ position: writer.writer.state.position, manifest: 0 });
    await writer.write("m f=1 5");
    await follower.poll();
    assert.equal(follower.state.position, 1, "nothing says that there is more");
    await reader.clock.advance(10_000);
    await follower.poll();
    assert.equal(follower.state.position, writer.writer.state.position);
  });
});

suite("a push", () => {
  test("shows what was written at once, and asks for that alone", async () => {
    await using world = await followedAlong();
    const { counting, follower, reader, writer } = world;
    await writer.write("m f=1 1");
    await settle();
    assert.equal(follower.state.position, 1, "without it, the next look is in a while");
    follower.hear(2);
    await settle();
    assert.equal(follower.state.position, 2);
    assert.equal((await reader.rows("SELECT f FROM m")).length, 1);
    assert.deepEqual(counting.asked, [2]);
  });

  test("that names a later entry brings those below it as well", async () => {
    await using world = await followedAlong();
    for (let time = 1; time <= 3; time++) await world.writer.write(`m f=1 ${time}`);
    world.follower.hear(4);
    await settle();
    assert.equal(world.follower.state.position, 4);
    assert.deepEqual(world.counting.asked, [2, 3, 4]);
  });

  test("that comes twice, or late, costs nothing", async () => {
    await using world = await followedAlong();
    const { counting, follower, writer } = world;
    await writer.write("m f=1 1");
    for (let round = 0; round < 3; round++) for (const position of [2, 1]) follower.hear(position);
    await settle();
    for (const position of [2, 1, 0]) follower.hear(position);
    await settle();
    assert.deepEqual(counting.asked, [2]);
  });

  test("that is lost makes the next look find it", async () => {
    await using world = await followedAlong();
    await world.writer.write("m f=1 1");
    await world.reader.clock.advance(250);
    assert.equal(world.follower.state.position, 2);
  });

  test("that is not true costs one look, no list, and hides nothing that comes later", async () => {
    await using world = await followedAlong();
    const { counting, follower, writer } = world;
    const lists = await counting.during(async () => {
      follower.hear(Number.MAX_SAFE_INTEGER);
      await settle();
    });
    assert.equal(lists, 0);
    assert.deepEqual(counting.asked, [2]);
    assert.equal(follower.state.position, 1);
    assert.equal(follower.trouble, undefined);
    await settle();
    assert.equal(counting.asked.length, 1, "it is not looked for again and again");
    await writer.write("m f=1 1");
    follower.hear(2);
    await settle();
    assert.equal(follower.state.position, 2);
  });

  test("that comes while it looks makes it look once more", async () => {
    await using world = await followedAlong();
    const { counting, follower, reader, writer } = world;
    const answered = Promise.withResolvers<void>();
    counting.answered = answered.promise;
    await reader.clock.advance(250);
    assert.deepEqual(counting.asked, [2], "which is not there yet");
    await writer.write("m f=1 1");
    follower.hear(2);
    answered.resolve();
    await settle();
    assert.equal(follower.state.position, 2);
    assert.deepEqual(counting.asked, [2, 2]);
  });

  test("does not stand for the list that is due", async () => {
    await using world = await followed();
    const { counting, follower, reader, writer } = world;
    await follower.load();
    await reader.clock.advance(10_000);
    await writer.write("m f=1 1");
    follower.hear(2);
    assert.ok((await counting.during(() => follower.poll())) > 0);
  });

  test("leaves nothing behind, however many come", async () => {
    const end = new AbortController();
    await using world = await followed();
    const { follower, writer } = world;
    await follower.load();
    const running = follower.run(end.signal);
    for (let position = 2; position < 12; position++) {
      await writer.write(`m f=1 ${position}`);
      follower.hear(position);
      await settle();
    }
    assert.equal(follower.state.position, 11);
    assert.equal(getEventListeners(end.signal, "abort").length, 1);
    assert.equal(world.reader.clock.sleeperCount, 1);
    end.abort();
    await running;
  });

  test("hastens nothing while the store does not answer", async () => {
    await using world = await followedAlong();
    const { counting, follower, reader, writer } = world;
    counting.failure = new DbError("unavailable", "store_unreachable", "no answer");
    await reader.clock.advance(1_000);
    counting.asked.length = 0;
    for (let position = 2; position < 100; position++) {
      follower.hear(position);
      await settle();
    }
    assert.deepEqual(counting.asked, []);
    counting.failure = undefined;
    await writer.write("m f=1 1");
    await reader.clock.advance(5_000);
    assert.equal(follower.state.position, 2);
  });
});

suite("a log that cannot be read", () => {
  const damage = new DbError("corrupt", "object_damaged", "an entry is damaged");
  const later = new DbError("unsupported", "record_unknown", "an entry of a later version");
  const silence = new DbError("unavailable", "store_unreachable", "no answer");

  for (const [failure, lasts] of [
    [damage, true],
    [later, true],
    [silence, false],
  ] as const)
    test(`${failure.code}: ${lasts ? "is a trouble until it can be read on" : "passes"}`, async () => {
      const warnings: string[] = [];
      await using world = await followed({
        logger: {
          debug: () => undefined,
          info: () => undefined,
          warn: (message) => warnings.push(message),
          error: () => undefined,
        },
      });
      const { counting, follower, reader, writer } = world;
      await follower.load();
      const end = new AbortController();
      const running = follower.run(end.signal);
      counting.failure = failure;
      await reader.clock.advance(20_000);
      assert.equal(follower.trouble, lasts ? failure : undefined);
      assert.equal(warnings.length, 1, "one warning, however long it lasts");
      counting.failure = undefined;
      await writer.write("m f=1 1");
      await reader.clock.advance(5_000);
      assert.equal(follower.trouble, undefined);
      assert.equal(follower.state.position, 2);
      end.abort();
      await running;
      assert.equal(reader.clock.sleeperCount, 0);
    });

  test("the pause grows to five seconds", async () => {
    await using world = await followed();
    const { counting, follower, reader } = world;
    await follower.load();
    let triedCount = 0;
    counting.failure = silence;
    const end = new AbortController();
    const poll = follower.poll.bind(follower);
    follower.poll = () => {
      triedCount += 1;
      return poll();
    };
    const running = follower.run(end.signal);
    await reader.clock.advance(60_000);
    // 0.5, 1, 2, 4 and then 5 seconds.
    assert.ok(triedCount >= 14 && triedCount <= 16, `${triedCount} tries`);
    end.abort();
    await running;
  });
});
