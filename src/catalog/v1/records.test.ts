import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import { equalBytes } from "#base/bytes.ts";
import type { DatabaseId } from "#model/ids.ts";
import { decodeEnvelope, encodeEnvelope } from "#objectlog/envelope.ts";
import { fromEnvelope, toEnvelope } from "#objectlog/record.ts";
import { catalogMachine } from "../catalog-machine.ts";
import { EMPTY_CATALOG } from "../catalog-state.ts";
import { NONCE, textOf, WRITER } from "../testing.ts";

suite("records of InfluxDB 1's databases, users and continuous queries", () => {
  test("of version 1 are read for ever, and written the same", () => {
    const text = readFileSync(new URL("testdata/influxdb1-v1.hex", import.meta.url), "utf8");
    const [first, second, checkpoint] = text
      .trim()
      .split("\n")
      .map((line) => Uint8Array.from(Buffer.from(line, "hex")));
    assert.ok(first && second && checkpoint);
    let state = EMPTY_CATALOG;
    for (const [index, bytes] of [first, second].entries())
      state = catalogMachine.apply(
        state,
        fromEnvelope(decodeEnvelope("key", bytes), "key", index + 1),
      );
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
    const restored = fromEnvelope(decodeEnvelope("key", checkpoint), "key", 2);
    assert.equal(textOf(catalogMachine.restore(restored)), textOf(state));
    const again = toEnvelope(catalogMachine.checkpoint(state, WRITER), 2, NONCE);
    assert.ok(equalBytes(encodeEnvelope(again), checkpoint));
  });
});
