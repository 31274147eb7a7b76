import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { PartCounts } from "./parts.ts";
import { Schedule } from "./schedule.ts";

const HOURS = "GROUP BY time(1h), host";

function mayBeCut(select: string): boolean {
  const schedule = Schedule.of(`CREATE CONTINUOUS QUERY q ON db BEGIN ${select} END`);
  assert.ok(schedule);
  return schedule.hasLoneWindows;
}

suite("continuous queries in parts", () => {
  const alone = [
    `SELECT mean(f), max(f) / 2 INTO t FROM m ${HOURS}`,
    `SELECT count(f) INTO t FROM m ${HOURS} fill(none)`,
    `SELECT top(f, 3) INTO t FROM m ${HOURS}`,
    `SELECT round(abs(mean(f))) INTO t FROM m ${HOURS}`,
    `SELECT max(g) INTO t FROM (SELECT sum(f) AS g FROM m GROUP BY host) ${HOURS}`,
    `SELECT max(g) INTO t FROM (SELECT count(f) AS g FROM m GROUP BY time(10m), host) ${HOURS}`,
    `SELECT mean(f) INTO t FROM m ${HOURS} TZ('Europe/Berlin')`,
  ];
  for (const select of alone)
    test(`have windows alone: ${select}`, () => {
      assert.equal(mayBeCut(select), true);
    });

  const together = [
    `SELECT cumulative_sum(sum(f)) INTO t FROM m ${HOURS}`,
    `SELECT moving_average(mean(f), 3) INTO t FROM m ${HOURS}`,
    `SELECT derivative(mean(f)) INTO t FROM m ${HOURS}`,
    `SELECT 1 - (difference(mean(f))) INTO t FROM m ${HOURS}`,
    `SELECT elapsed(mean(f)) INTO t FROM m ${HOURS}`,
    `SELECT non_negative_difference(mean(f)) INTO t FROM m ${HOURS}`,
    `SELECT holt_winters(mean(f), 3, 0) INTO t FROM m ${HOURS}`,
    `SELECT integral(f) INTO t FROM m ${HOURS}`,
    `SELECT mean(f) INTO t FROM m ${HOURS} fill(previous)`,
    `SELECT mean(f) INTO t FROM m ${HOURS} fill(linear)`,
    `SELECT mean(f) INTO t FROM m ${HOURS} fill(0)`,
    `SELECT count(f) INTO t FROM m ${HOURS}`,
    `SELECT mean(f) INTO t FROM m ${HOURS} LIMIT 5`,
    `SELECT mean(f) INTO t FROM m ${HOURS} LIMIT 5 OFFSET 1`,
    `SELECT mean(f) INTO t FROM m ${HOURS} SLIMIT 1`,
    `SELECT mean(f) INTO t FROM m ${HOURS} SLIMIT 1 SOFFSET 1`,
    `SELECT max(g) INTO t FROM (SELECT difference(f) AS g FROM m) ${HOURS}`,
    `SELECT max(g) INTO t FROM (SELECT mean(f) AS g FROM m GROUP BY time(1m) fill(previous)) ${HOURS}`,
    `SELECT max(g) INTO t FROM (SELECT f AS g FROM m LIMIT 1) ${HOURS}`,
    `SELECT max(g) INTO t FROM (SELECT mean(f) AS g FROM m GROUP BY time(2h)) ${HOURS}`,
    `SELECT max(g) INTO t FROM (SELECT mean(f) AS g FROM m GROUP BY time(1h, 10m)) ${HOURS}`,
    `SELECT max(g) INTO t FROM (SELECT mean(f) AS g FROM m) ${HOURS} TZ('Europe/Berlin')`,
  ];
  for (const select of together)
    test(`have windows that need others: ${select}`, () => {
      assert.equal(mayBeCut(select), false);
    });

  test("have more while a run is too much, up to a bound, and fewer after many runs", () => {
    const parts = new PartCounts();
    for (const count of [2, 4, 8, 16, 32, 64, 128]) {
      assert.equal(parts.raise("q"), true);
      assert.equal(parts.of("q"), count);
    }
    assert.equal(parts.raise("q"), false);
    for (let run = 0; run < 15; run += 1) parts.keep("q");
    assert.equal(parts.of("q"), 128);
    parts.keep("q");
    assert.equal(parts.of("q"), 64);
    for (let run = 0; run < 16 * 6; run += 1) parts.keep("q");
    assert.equal(parts.of("q"), 1);
    parts.raise("q");
    parts.raise("other");
    parts.forget((key) => key === "other");
    assert.deepEqual([parts.of("q"), parts.of("other")], [1, 2]);
  });
});
