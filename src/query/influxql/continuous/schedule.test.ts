import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { Schedule } from "./schedule.ts";

const MINUTE = 60_000_000_000n;

function scheduleOf(rest: string, resample = "", end = ""): Schedule {
  const text = `CREATE CONTINUOUS QUERY q ON db ${resample} BEGIN SELECT mean(f) INTO t FROM m ${rest} ${end} END`;
  const schedule = Schedule.of(text);
  assert.ok(schedule);
  return schedule;
}

/** Minutes. */
function rangeOf(schedule: Schedule, nowNs: bigint, doneNs: bigint | undefined) {
  const { endNs, startNs } = schedule.rangeOf(schedule.dueAt(nowNs), doneNs, nowNs);
  return [startNs / MINUTE, endNs / MINUTE];
}

suite("the schedule of a continuous query", () => {
  const cases = [
    ["reads the window that has ended", "time(10m)", "", 21n, 10n, [10n, 20n]],
    ["makes up what was missed", "time(10m)", "", 55n, 10n, [10n, 50n]],
    ["but not without end", "time(1m)", "", 500n, 10n, [399n, 500n]],
    ["follows an offset", "time(10m, 3m)", "", 24n, 13n, [13n, 23n]],
    ["EVERY shorter than the window", "time(10m)", "RESAMPLE EVERY 5m", 25n, 20n, [20n, 30n]],
    ["EVERY longer than the window", "time(10m)", "RESAMPLE EVERY 30m", 65n, 30n, [30n, 60n]],
    ["FOR several windows", "time(10m)", "RESAMPLE FOR 30m", 61n, 50n, [30n, 60n]],
    ["the first run has nothing to read", "time(10m)", "", 57n, undefined, [50n, 50n]],
    ["the first run FOR several", "time(10m)", "RESAMPLE FOR 30m", 57n, undefined, [30n, 50n]],
  ] as const;
  for (const [name, window, resample, now, done, expected] of cases)
    test(name, () => {
      const schedule = scheduleOf(`GROUP BY ${window}`, resample);
      const doneNs = done === undefined ? undefined : done * MINUTE;
      assert.deepEqual(rangeOf(schedule, now * MINUTE, doneNs), expected);
    });

  test("days begin where clocks of the zone say so", () => {
    const schedule = scheduleOf("GROUP BY time(1d)", "", "TZ('Europe/Berlin')");
    const now = BigInt(Date.parse("2026-03-29T12:00:00Z")) * 1_000_000n;
    const due = schedule.dueAt(now);
    assert.equal(new Date(Number(due / 1_000_000n)).toISOString(), "2026-03-28T23:00:00.000Z");
    const next = schedule.after(due);
    assert.equal(new Date(Number(next / 1_000_000n)).toISOString(), "2026-03-29T22:00:00.000Z");
  });

  test("its bounds replace what the statement says of the time", () => {
    const schedule = scheduleOf("WHERE time > now() - 1h AND (a = 'x' OR b = 1) GROUP BY time(1m)");
    assert.deepEqual(
      [...schedule.statementsOf({ startNs: 60n, endNs: 120n }, 1)],
      [
        "SELECT mean(f) INTO t FROM m WHERE (true AND (a = 'x' OR b = 1)) AND time >= 60 AND time < 120 GROUP BY time(1m)",
      ],
    );
  });

  test("a run in parts has each window once, and none that is empty", () => {
    const schedule = scheduleOf("GROUP BY time(1m, 20s)");
    const third = MINUTE / 3n;
    const range = { startNs: third, endNs: 10n * MINUTE + third };
    for (const partCount of [1, 2, 3, 7, 10, 128]) {
      const parts = [...schedule.statementsOf(range, partCount)];
      assert.ok(parts.length <= Math.min(partCount, 10));
      const bounds = parts.map((text) =>
        [/time >= (\d+)/, /time < (\d+)/].map((bound) => BigInt(bound.exec(text)?.[1] ?? 0)),
      );
      let next = range.startNs;
      for (const [start = 0n, end = 0n] of bounds) {
        assert.equal(start, next);
        assert.equal((end - third) % MINUTE, 0n);
        next = end;
      }
      assert.equal(next, range.endNs);
    }
  });

  test("a query without windows has none", () => {
    const text = "CREATE CONTINUOUS QUERY q ON db BEGIN SELECT f INTO t FROM m END";
    assert.equal(Schedule.of(text), undefined);
  });
});
