import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { ResolvedSelect } from "../resolved.ts";
import { answerOf, MemoryPoints, SECOND_NS, testRows, testTable } from "./test-points.ts";
import { assertClose, calls, ROWS } from "./test-select.ts";

const MINUTE = { time: { start: 0n, end: 60n * SECOND_NS - 1n }, startsAt: true };
const BY_10 = { ...MINUTE, window: { everyNs: 10n * SECOND_NS, offsetNs: 0n } };
const BY_20 = { ...MINUTE, window: { everyNs: 20n * SECOND_NS, offsetNs: 0n } };
const FROM_20 = { ...BY_10, time: { start: 20n * SECOND_NS, end: 60n * SECOND_NS - 1n } };
const LAST_10 = { ...BY_10, time: { start: 50n * SECOND_NS, end: 60n * SECOND_NS - 1n } };
const RAW = { raw: true };
const TIE = { sources: [testTable("tie")] };

/** What InfluxDB 1.6.7 answered. */
const CASES: readonly (readonly [what: string, select: ResolvedSelect, rows: string])[] = [
  ["means by bucket", calls(["mean v"], BY_10), "0 3, 10 5, 20 2, 30 -, 40 -, 50 10"],
  ["counts of empty buckets are 0", calls(["count v"], BY_10), "0 2, 10 2, 20 1, 30 0, 40 0, 50 1"],
  [
    "counts of different values",
    calls(["count distinct i"], BY_10),
    "0 2, 10 2, 20 1, 30 0, 40 0, 50 1",
  ],
  [
    "a number fills lanes and what they lack",
    calls(["count v", "sum w"], { ...BY_10, fill: "7" }),
    "0 2 7, 10 2 7, 20 1 7, 30 7 5, 40 7 7, 50 1 7",
  ],
  [
    "in InfluxDB 3 a number fills no name that the measurement has not",
    calls(["count v", "sum w"], {
      ...BY_10,
      fill: "7",
      fillsUnknown: false,
      sources: [testTable("m", ["v"])],
    }),
    "0 2 -, 10 2 -, 20 1 -, 30 7 -, 40 7 -, 50 1 -",
  ],
  [
    "previous fills both ways",
    calls(["mean v", "sum w"], { ...BY_10, fill: "previous" }),
    "0 3 -, 10 5 -, 20 2 -, 30 2 5, 40 2 5, 50 10 5",
  ],
  [
    "whole numbers between whole numbers",
    calls(["max i"], {
      ...BY_10,
      dimensions: ["h"],
      sources: [testTable("m")],
      fill: "linear",
      seriesLimit: 1,
    }),
    "0 1, 10 4, 20 3, 30 3, 40 4, 50 5",
  ],
  [
    "a number in place of what has no values at all",
    calls(["count v", "last s"], { ...LAST_10, fill: "7" }),
    "50 1 7",
  ],
  [
    "raw rows filled by a number",
    calls(["v", "w"], { ...RAW, fill: "9" }),
    "1 1 9, 5 5 9, 12 3 9, 12 7 9, 21 2 9, 33 9 5, 55 10 9",
  ],
  [
    "raw rows filled by those before",
    calls(["v", "w", "s"], { ...RAW, fill: "previous" }),
    "1 1 - x, 5 5 - z, 12 3 - z, 12 7 - z, 21 2 - y, 33 2 5 y, 55 10 5 y",
  ],
  ["a selector has its time and its row", calls(["max v", ".i", ".h"]), "55 10 5 a"],
  [
    "in buckets a selector has that of the bucket",
    calls(["max v", ".i", ".h"], BY_10),
    "0 5 7 b, 10 7 7 b, 20 2 3 a, 30 - - -, 40 - - -, 50 10 5 a",
  ],
  [
    "what stands beside is filled, too",
    calls(["max v", ".i"], { ...BY_10, fill: "previous" }),
    "0 5 7, 10 7 7, 20 2 3, 30 2 3, 40 2 3, 50 10 5",
  ],
  ["two selectors have no time", calls(["first v", "last v"]), "0 1 10"],
  [
    "or that at which WHERE begins",
    calls(["first v", "last v"], {
      time: { start: 3n * SECOND_NS, end: 60n * SECOND_NS },
      startsAt: true,
    }),
    "3 5 10",
  ],
  [
    "falling time",
    calls(["mean v"], { ...BY_10, descending: true }),
    "50 10, 40 -, 30 -, 20 2, 10 5, 0 3",
  ],
  ["of one time the greater is first", calls(["first v", ".h"], TIE), "10 2 b"],
  ["and last", calls(["last v", ".h"], TIE), "20 2 b"],
  ["true is first of one time", calls(["first b"], TIE), "10 true"],
  ["the least comes first", calls(["min v", ".h"], TIE), "10 0 c"],
  ["different values by time, then value", calls(["distinct i"]), "0 1, 0 7, 0 4, 0 3, 0 5"],
  ["different values by bucket", calls(["distinct i"], BY_20), "0 1, 0 7, 0 4, 20 3, 40 5"],
  [
    "by falling time within a bucket",
    calls(["distinct i"], { ...BY_20, descending: true }),
    "40 5, 20 3, 0 1, 0 4, 0 7",
  ],
  ["the most frequent", calls(["mode i"]), "0 7"],
  ["the least of those that come once", calls(["mode s"]), "0 x"],
  ["the last of the most frequent", calls(["mode i"], TIE), "0 2"],
  ["the middle of an even number", calls(["median i"]), "0 4.5"],
  ["the nearest rank", calls(["percentile v 50", ".h"]), "12 3 a"],
  [
    "a first bucket of too few values ends the answer",
    calls(["percentile i 20"], { dimensions: ["h"], descending: true }),
    "",
  ],
  [
    "but not where one before it had enough",
    calls(["percentile i 20"], { dimensions: ["h"] }),
    "1 1",
  ],
  ["no rank at all", calls(["percentile i 5"]), ""],
  ["spread", calls(["spread i"]), "0 6"],
  ["the deviation of one", calls(["stddev w"]), "0 -"],
  ["an area", calls(["integral v 1000000000"]), "0 284.5"],
  [
    "areas by bucket",
    calls(["integral v 1000000000"], BY_10),
    "0 33.42857142857143, 10 44.79365079365079, 20 29.80718954248366, 50 176.47058823529412",
  ],
  ["the best, by time", calls(["top v 2"]), "12 7, 55 10"],
  ["the best of each tag", calls(["top i 5 h", ".h"], TIE), "10 2 b, 10 1 a, 10 0 c"],
  ["the worst by bucket", calls(["bottom i 2"], BY_20), "1 1, 12 4, 21 3, 55 5"],
  ["all of a sample", calls(["sample i 100"]), "1 1, 5 7, 12 4, 12 7, 21 3, 55 5"],
  [
    "rates",
    calls(["derivative 1000000000 | v"]),
    "5 1, 12 -0.2857142857142857, 21 -0.1111111111111111, 55 0.23529411764705882",
  ],
  [
    "changes against falling time",
    calls(["difference | v"], { descending: true }),
    "21 -8, 12 5, 5 -2, 1 -4",
  ],
  ["sums so far", calls(["cumulative_sum | v"], TIE), "10 1, 10 3, 10 3, 20 4, 20 6, 20 6"],
  [
    "whole seconds since the last",
    calls(["elapsed 1000000000 | v"], { descending: true }),
    "21 -34, 12 -9, 12 0, 5 -7, 1 -4",
  ],
  [
    "the bucket before is read",
    calls(["derivative 10000000000 | mean v"], FROM_20),
    "20 -3, 50 2.6666666666666665",
  ],
  ["by one, whatever is averaged", calls(["moving_average 2 | mean v"], FROM_20), "20 3.5, 50 6"],
  [
    "but not for others",
    calls(["difference | mean v", "mean v"], { ...FROM_20, fill: "0" }),
    "20 -3 2, 30 -2 0, 40 0 0, 50 10 10",
  ],
  [
    "one transformation upon another",
    calls(["difference | cumulative_sum | mean v"], BY_10),
    "10 5, 20 2, 50 10",
  ],
  [
    "each call has its own LIMIT",
    calls(["mean v", "max w"], { ...BY_10, fill: "none", limit: 2 }),
    "0 3 -, 10 5 -, 30 - 5",
  ],
  [
    "what comes is joined by time",
    calls(["difference | v", "mean v"]),
    "0 - 4.666666666666667, 5 4 -, 12 -2 -, 21 -1 -, 55 8 -",
  ],
  ["LIMIT and OFFSET of rows", calls(["v"], { ...RAW, limit: 2, offset: 1 }), "5 5, 12 3"],
  [
    "what will come",
    calls(["holt_winters 3 2 | first v"], BY_10),
    "60 5.145529637575719, 70 10.643419205528197, 80 6.378959654891599",
  ],
  [
    "what came, fitted",
    calls(["holt_winters_with_fit 3 0 | first v"], BY_10),
    "0 1, 10 4.457856899168044, 20 4.569330951370897, 30 4.855934619575926, 40 5.835609111010348, 50 9.954705270769683, 60 30.4788295854191, 70 148.7018217822386, 80 921.697850866696",
  ],
];

suite("points of a SELECT", () => {
  for (const [what, select, rows] of CASES) {
    test(what, async () => {
      for (const pieceMax of [1, 2, 1000]) {
        const [, ...lines] = await answerOf(select, new MemoryPoints(ROWS, pieceMax));
        assertClose(lines.join(", "), rows);
      }
    });
  }

  test("series come by their tags, each with its own rows and limits", async () => {
    const select = calls(["mean v", "count i"], { ...BY_20, dimensions: ["h"], limit: 2 });
    assert.deepEqual(await answerOf(select, new MemoryPoints(ROWS)), [
      "m,h=a",
      "0 2 2",
      "20 2 1",
      "m,h=b",
      "0 6 2",
      "20 - 0",
    ]);
  });

  test("a day whose first hour comes twice has one row", async () => {
    const rows = testRows(["m v=1 1729989000", "m v=2 1730030400"].join("\n"));
    const lines = ["1729900800 0", "1729987200 2", "1730077200 0"];
    for (const descending of [false, true]) {
      const select = calls(["count v"], {
        time: { start: 1_729_900_800n * SECOND_NS, end: 1_730_163_600n * SECOND_NS - 1n },
        startsAt: true,
        window: { everyNs: 86_400n * SECOND_NS, offsetNs: 0n },
        zone: "Atlantic/Azores",
        descending,
        seriesDescending: descending,
      });
      const [, ...found] = await answerOf(select, new MemoryPoints(rows));
      assert.deepEqual(found, descending ? lines.toReversed() : lines);
    }
  });
});
