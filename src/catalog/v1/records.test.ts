import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { DatabaseId } from "#model/ids.ts";
import { checkStored } from "../testing.ts";

suite("records of InfluxDB 1's databases, users and continuous queries", () => {
  test("of version 1 are read for ever, and written the same", () => {
    const state = checkStored(new URL("testdata/influxdb1-v1.hex", import.meta.url));
    const [one, other] = [1, 2].map((id) => state.databases.get(id as DatabaseId));
    assert.deepEqual(one?.policy, {
      name: "autogen",
      replication: 1,
      shardDurationNs: 604_800_000_000_000n,
      isDefault: false,
    });
    assert.deepEqual(
      [other?.name, other?.policy?.name, other?.policy?.isDefault],
      ["db/week", "Week", true],
    );
    assert.deepEqual(
      [...state.users.values()],
      [
        {
          name: "u",
          password: "scrypt:16384:8:1:00:01",
          admin: true,
          grants: [{ database: "db", privilege: "none" }],
        },
      ],
    );
    assert.deepEqual(
      [...state.continuousQueries.values()],
      [{ database: "db", name: "q", text: "CREATE …" }],
    );
  });
});
