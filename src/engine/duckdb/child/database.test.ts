import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { isKind } from "#base/errors.ts";
import type { ChildSettings } from "../messages.ts";
import { ConnectionPool, openDatabase } from "./database.ts";

async function openLocked() {
  const directory = await mkdtemp(join(tmpdir(), "engine-lock-"));
  const [cache, spill] = ["c", "s"].map((name) => join(directory, name));
  assert.ok(cache && spill);
  const settings: ChildSettings = {
    memorySizeMax: 100_000_000,
    threads: 1,
    directories: { cache, spill },
    spillSizeMax: 1_000_000,
    queryCountMax: 2,
    queryWaitingMax: 1,
  };
  const instance = await openDatabase(settings);
  const remove = () => rm(directory, { recursive: true });
  return { directory, instance, [Symbol.asyncDispose]: remove };
}

suite("the engine's instance", () => {
  test("it can touch nothing outside its folders, and its settings are fixed", async () => {
    await using locked = await openLocked();
    const outside = join(locked.directory, "outside.csv");
    await writeFile(outside, "a\n1\n");
    const connection = await locked.instance.connect();
    const refused = [
      `SELECT * FROM read_csv('${outside}')`,
      `SELECT * FROM '${outside}'`,
      `SELECT * FROM read_text('/etc/hostname')`,
      `SELECT * FROM read_text('${locked.directory}/c/../outside.csv')`,
      `COPY (SELECT 1) TO '${locked.directory}/x.csv'`,
      `ATTACH '${locked.directory}/x.db'`,
      "INSTALL httpfs",
      "LOAD httpfs",
      "SET memory_limit = '20GB'",
      "SET enable_external_access = true",
      "SET lock_configuration = false",
      "RESET allowed_directories",
    ];
    for (const sql of refused) await assert.rejects(connection.run(sql), Error, sql);
    assert.deepEqual((await connection.runAndReadAll("SELECT 42")).getRows(), [[42]]);
  });

  test("connections are lent to a number of keys; one more waits, another is refused", async () => {
    await using locked = await openLocked();
    const pool = new ConnectionPool(locked.instance, { countMax: 2, waitingMax: 1 });
    const [first, second] = [await pool.take({}), await pool.take({})];
    assert.ok(first && second && first !== second);
    const waiter = {};
    const third = pool.take(waiter);
    await assert.rejects(pool.take({}), (error) => isKind(error, "exceeded"));
    pool.leave(waiter);
    assert.equal(await third, undefined);
    const fourth = pool.take({});
    await pool.giveBack(first, false);
    assert.equal(await fourth, first);
    await pool.giveBack(second, true);
    const fresh = await pool.take({});
    assert.ok(fresh && fresh !== second);
    assert.deepEqual((await fresh.runAndReadAll("SELECT 1")).getRows(), [[1]]);
  });
});
