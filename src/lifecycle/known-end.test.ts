import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { followedAlong } from "#testing/followed-log.ts";

suite("a log whose end is known", () => {
  const MINUTE_MS = 60_000;

  test("is not looked at, but for a net every fifteen minutes, which lists nothing", async () => {
    await using world = await followedAlong({ end: () => ({ told: 1, stoppedIn: undefined }) });
    const { counting, reader } = world;
    const lists = await counting.during(async () => {
      await reader.clock.advance(14 * MINUTE_MS);
      assert.deepEqual(counting.asked, []);
      await reader.clock.advance(2 * MINUTE_MS);
    });
    assert.deepEqual(counting.asked, [2]);
    assert.equal(lists, 0);
  });

  test("is looked at when it is beyond what is here, and again as often as ever when it is not known any more", async () => {
    let told: number | undefined = 1;
    await using world = await followedAlong({ end: () => ({ told, stoppedIn: undefined }) });
    const { counting, follower, reader, writer } = world;
    await reader.clock.advance(MINUTE_MS);
    await writer.write("m f=1 1");
    await reader.clock.advance(1_000);
    assert.equal(follower.state.position, 1, "nobody has said so");
    told = 2;
    await reader.clock.advance(250);
    assert.equal(follower.state.position, 2);
    told = undefined;
    counting.asked.length = 0;
    await reader.clock.advance(1_000);
    assert.deepEqual(counting.asked, [3, 3, 3, 3]);
  });

  test("is looked at when somebody waits for more, and when the manifest has more", async () => {
    let adopted = { position: 0, manifest: 0 };
    await using world = await followedAlong({
      adopted: () => adopted,
      end: () => ({ told: 1, stoppedIn: undefined }),
    });
    const { counting, follower, reader } = world;
    follower.want(2);
    assert.equal(await counting.during(() => reader.clock.advance(250)), 1);
    adopted = { position: 2, manifest: 1 };
    assert.equal(await counting.during(() => reader.clock.advance(250)), 1);
  });

  test("because its node has stopped is read to the tail once, for certain, for each such stop", async () => {
    let stoppedIn: number | undefined;
    await using world = await followedAlong({ end: () => ({ told: undefined, stoppedIn }) });
    const { counting, reader, writer } = world;
    await writer.write("m f=1 1");
    for (const epoch of [1, 2]) {
      stoppedIn = epoch;
      assert.equal(await counting.during(() => reader.clock.advance(MINUTE_MS)), 1);
      counting.asked.length = 0;
      await reader.clock.advance(MINUTE_MS);
      assert.deepEqual(counting.asked, []);
    }
    stoppedIn = undefined;
    await reader.clock.advance(1_000);
    assert.equal(counting.asked.length, 4);
  });

  test("forgets what the manifest has all the same", async () => {
    let adopted = { position: 0, manifest: 0 };
    await using world = await followedAlong({
      adopted: () => adopted,
      end: () => ({ told: 3, stoppedIn: undefined }),
    });
    const { follower, reader, writer } = world;
    await writer.write("m f=1 1");
    await writer.snapshotter.take(new AbortController().signal);
    await reader.clock.advance(250);
    assert.equal(follower.state.snapshots.length, 1);
    adopted = { position: 2, manifest: 1 };
    await reader.clock.advance(250);
    assert.deepEqual(follower.state.snapshots, []);
  });
});
