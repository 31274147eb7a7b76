import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { Points } from "../points.ts";
import { merged, type Stream } from "./merge.ts";

/** Streams of one series each, which count how many of them are open. */
class Counted {
  open = 0;
  openMost = 0;

  stream(name: string | undefined, series: string): Stream {
    return { name, points: this.#points(series) };
  }

  async *#points(name: string): AsyncGenerator<Points> {
    this.open += 1;
    this.openMost = Math.max(this.openMost, this.open);
    try {
      const times = BigInt64Array.of(1n);
      yield { series: { name, tags: [] }, rowCount: 1, times, columns: [], last: true };
    } finally {
      this.open -= 1;
    }
  }
}

async function namesOf(streams: readonly Stream[], seriesDescending: boolean) {
  const points = merged(streams, { descending: false, seriesDescending, types: [] });
  return (await Array.fromAsync(points)).map(({ series }) => series.name);
}

suite("streams of series", () => {
  test("of one name each are open one at a time, however many they are", async () => {
    for (const descending of [false, true]) {
      const counted = new Counted();
      const streams = ["m2", "m10", "～", "😀", "m1"].map((name) => counted.stream(name, name));
      const expected = ["m1", "m10", "m2", "～", "😀"];
      const names = await namesOf(streams, descending);
      assert.deepEqual(names, descending ? expected.toReversed() : expected);
      assert.deepEqual([counted.open, counted.openMost], [0, 1]);
    }
  });

  test("of names that are not known, or the same, are open together", async () => {
    const counted = new Counted();
    const streams = [counted.stream(undefined, "m2"), counted.stream("m1", "m1")];
    assert.deepEqual(await namesOf(streams, false), ["m1", "m2"]);
    assert.deepEqual(await namesOf([counted.stream("m", "m"), counted.stream("m", "m")], false), [
      "m",
    ]);
    assert.deepEqual([counted.open, counted.openMost], [0, 2]);
  });
});
