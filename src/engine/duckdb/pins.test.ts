import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { DbError } from "#base/errors.ts";
import type { DataFile } from "#model/data-file.ts";
import type { TableId } from "#model/ids.ts";
import type { ScanPlan } from "#model/query/plan.ts";
import { ALL_TIME } from "#model/time-range.ts";
import { filesOf, type PinnedFiles, Pins } from "./pins.ts";

const NEVER = new AbortController().signal;

function planOf(...keys: readonly string[]): ScanPlan {
  const sources = keys.map((key) => ({ kind: "file" as const, file: { key } as DataFile }));
  return {
    kind: "scan",
    fields: [],
    tableId: 1 as TableId,
    tags: [],
    columns: [],
    time: ALL_TIME,
    groups: [{ merge: false, sources }],
  };
}

/** Pins that are held, by key; a key's gate is waited for, and may refuse. */
function openFiles(gates: Readonly<Record<string, Promise<void>>> = {}) {
  const held: string[] = [];
  const files: PinnedFiles = {
    async pin({ key }) {
      await gates[key];
      held.push(key);
      return { path: `/cache/${key}`, release: () => held.splice(held.indexOf(key), 1) };
    },
  };
  return { files, held };
}

suite("pins", () => {
  test("each file is held once, until the pins are disposed of", async () => {
    const { files, held } = openFiles();
    const pins = await Pins.take(files, filesOf(planOf("a", "b", "a")), NEVER);
    assert.deepEqual(held, ["a", "b"]);
    assert.equal(pins.paths.get("b"), "/cache/b");
    pins[Symbol.dispose]();
    pins[Symbol.dispose]();
    assert.deepEqual(held, []);
  });

  test("where one is gone, none is held", async () => {
    const missing = new DbError("not_found", "object_missing", "gone");
    const { files, held } = openFiles({ b: Promise.reject(missing) });
    await assert.rejects(Pins.take(files, filesOf(planOf("a", "b", "c")), NEVER), {
      kind: "not_found",
      code: "file_vanished",
    });
    await new Promise(setImmediate);
    assert.deepEqual(held, []);
  });

  test("who aborts is let go at once, and what comes late is released", async () => {
    const gate = Promise.withResolvers<void>();
    const { files, held } = openFiles({ b: gate.promise });
    const stop = new AbortController();
    const reason = new Error("enough");
    const taking = Pins.take(files, filesOf(planOf("a", "b")), stop.signal);
    stop.abort(reason);
    await assert.rejects(taking, (error) => error === reason);
    gate.resolve();
    await new Promise(setImmediate);
    assert.deepEqual(held, []);
  });
});
