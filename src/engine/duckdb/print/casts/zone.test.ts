import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import * as fc from "fast-check";
import type { Zone } from "#model/time/zone.ts";
import { printInstant, printLocal, printOnWallClock, zoneOf } from "./zone.ts";

const SECOND = 1_000_000_000n;
const HOUR = 3_600n * SECOND;
const ZONES = [
  "Europe/Paris",
  "America/New_York",
  "America/Sao_Paulo",
  "Asia/Kolkata",
  "Australia/Lord_Howe",
  "Europe/London",
  "UTC",
  "+05:45",
].map(zoneOf);
/** Of 1990 to 2037, to the nanosecond; near changes of offsets as often as not. */
const INSTANTS = fc.oneof(
  fc.bigInt({ min: 631_152_000n * SECOND, max: 2_145_916_800n * SECOND }),
  fc
    .tuple(
      fc.constantFrom("2024-03-31T01:00Z", "2024-10-27T01:00Z", "2018-11-04T03:00Z"),
      fc.bigInt(-2n * HOUR, 2n * HOUR),
    )
    .map(([text, by]) => BigInt(Date.parse(text)) * 1_000_000n + by),
);

suite("local times in the engine", () => {
  let connection: DuckDBConnection;
  before(async () => {
    connection = await (await DuckDBInstance.create(":memory:")).connect();
    await connection.run("SET TimeZone = 'UTC'");
  });
  after(() => connection.disconnectSync());

  async function computed(times: readonly bigint[], printed: string): Promise<readonly unknown[]> {
    const rows = times.map((time, index) => `(${index}, CAST(${time} AS BIGINT))`).join(", ");
    const read = await connection.runAndReadAll(
      `SELECT ${printed} FROM (VALUES ${rows}) v(i, t) ORDER BY i`,
    );
    return read.getRows().map(([value]) => value);
  }

  for (const zone of ZONES) {
    test(`are those of ${zone.id}`, async () => {
      const times = fc.sample(INSTANTS, 500);
      assert.deepEqual(
        await computed(times, printLocal("t", zone)),
        times.map((time) => zone.localAt(time)),
      );
    });

    test(`are instants of ${zone.id} where they are one`, async () => {
      const locals = fc.sample(INSTANTS, 500).map((time) => zone.localAt(time));
      assert.deepEqual(
        await computed(locals, printInstant("t", zone)),
        locals.map((local) => {
          const [instant, second] = zone.instantsOf(local);
          return second === undefined ? (instant ?? null) : null;
        }),
      );
    });

    test(`come back from the wall clock of ${zone.id} as the same instant`, async () => {
      const times = fc.sample(INSTANTS, 500);
      const same = await computed(
        times,
        printOnWallClock("t", zone, (local) => local),
      );
      assert.deepEqual(same, times);
    });

    test(`may be passed over by the clocks of ${zone.id}`, async () => {
      const times = fc.sample(INSTANTS, 500);
      const printed = printOnWallClock("t", zone, (local) => `(${local} + ${HOUR / 2n})`);
      const moved = await computed(times, printed);
      for (const [index, time] of times.entries()) checkMoved(zone, time, moved[index] as bigint);
    });
  }
});

/** Half an hour later by the clocks: an instant that shows it, or in a gap the one as long after its start. */
function checkMoved(zone: Zone, time: bigint, moved: bigint): void {
  const local = zone.localAt(time) + HOUR / 2n;
  const known = zone.instantsOf(local);
  if (known.length > 0) assert.ok(known.includes(moved), `${zone.id} ${time}`);
  else assert.equal(moved, time + HOUR / 2n, `${zone.id} ${time}`);
}
