import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { setTimeout as after } from "node:timers/promises";
import { isKind } from "#base/errors.ts";
import { selectSeries } from "./select.ts";
import { answerOf, MemoryPoints, outside, SECOND_NS, type TestRow } from "./test-points.ts";
import { calls } from "./test-select.ts";

/** `perSeries` rows, one a second, of each of `seriesCount` series. */
function rowsOf(seriesCount: number, perSeries: number): MemoryPoints {
  const rows: TestRow[] = [];
  for (let series = 0; series < seriesCount; series += 1) {
    for (let second = 0; second < perSeries; second += 1) {
      const v = Math.sin(second * (series + 1)) * 50 + second;
      rows.push({
        name: "m",
        tags: { h: String(series) },
        fields: { v },
        timeNs: BigInt(second) * SECOND_NS,
      });
    }
  }
  return new MemoryPoints(rows);
}

function bySecond(seconds: number) {
  return {
    time: { start: 0n, end: BigInt(seconds) * SECOND_NS - 1n },
    startsAt: true,
    window: { everyNs: SECOND_NS, offsetNs: 0n },
  };
}

const FITS = calls(["holt_winters 900 100 | mean v"], { ...bySecond(200), dimensions: ["h"] });

suite("the work of one statement", () => {
  test("others have their turn while 100 series are fitted, and the end of the statement ends it", async () => {
    const stop = new AbortController();
    const series = selectSeries(FITS, outside(rowsOf(100, 200), stop.signal));
    const ended = assert.rejects(async () => {
      for await (const _ of series);
    }, /enough/);
    let longestMs = 0;
    for (let turn = 0; turn < 20; turn += 1) {
      const startMs = performance.now();
      await after(10);
      longestMs = Math.max(longestMs, performance.now() - startMs);
    }
    stop.abort(new Error("enough"));
    await ended;
    assert.ok(longestMs < 1_000, `a timer of 10 ms took ${longestMs} ms`);
  });

  test("who lets go of the rows ends the fit that is at work", async () => {
    const series = selectSeries(FITS, outside(rowsOf(100, 200)));
    const first = assert.rejects(async () => series.next(), { name: "AbortError" });
    await after(10);
    await series.return?.();
    await first;
  });

  test("a statement fits only so much", async () => {
    const select = calls(["holt_winters 200000 0 | mean v"], bySecond(10));
    await assert.rejects(
      answerOf(select, rowsOf(1, 10)),
      (error) => isKind(error, "exceeded") && error.code === "influxql_forecast_too_long",
    );
  });

  test("empty buckets times columns have a bound", async () => {
    const columns = Array.from({ length: 98 }, (_, index) => `percentile v ${index + 1}`);
    const parts = { ...bySecond(3_900_000), fill: "0" };
    await assert.rejects(
      answerOf(calls(columns, parts), rowsOf(1, 3)),
      (error) => isKind(error, "exceeded") && error.code === "influxql_too_many_buckets",
    );
  });

  test("LIMIT ends the filling of any number of buckets", async () => {
    const columns = Array.from({ length: 98 }, (_, index) => `percentile v ${index + 1}`);
    const parts = { ...bySecond(3_900_000_000), fill: "0", limit: 2, offset: 1 };
    const [series, ...lines] = await answerOf(calls(columns, parts), rowsOf(1, 3));
    assert.equal(series, "m");
    assert.deepEqual(
      lines.map((line) => line.split(" ").length),
      [99, 99],
    );
  });
});
