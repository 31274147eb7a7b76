import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { Bench } from "../contract/bench.ts";
import { assertSameList } from "../contract/build.ts";
import { engineContract } from "../contract.ts";
import { plainEngine } from "./plain.ts";

engineContract("plain", async (files) => plainEngine({ files }));

suite("the plain engine", () => {
  test("a query ends with its signal though a file never comes", async () => {
    await using bench = await Bench.open(async (files) => {
      const never = new Promise<never>(() => undefined);
      let first = true;
      return plainEngine({
        files: {
          load: async (file) => {
            if (!first) return never;
            first = false;
            return files.load(file);
          },
        },
      });
    });
    const table = bench.table({ f: "integer" });
    const generation = bench.generation();
    await table.append(generation, 1, 1n, [{ time: 1n, f: 1n }]);
    const [file] = await table.persist([table.buffered(generation)]);
    assert.ok(file);
    const source = { kind: "file" as const, file };
    const scan = table.scan([{ merge: true, sources: [source, source] }]);
    const reason = new Error("enough");
    const controller = new AbortController();
    const rows = bench.rows(scan, controller.signal);
    setImmediate(() => controller.abort(reason));
    await assert.rejects(rows, (error) => error === reason);
  });

  test("another failure of the files passes as it is", async () => {
    const failure = new Error("the network is down");
    await using bench = await Bench.open(async () =>
      plainEngine({ files: { load: () => Promise.reject(failure) } }),
    );
    const table = bench.table({ f: "integer" });
    const generation = bench.generation();
    await table.append(generation, 1, 1n, [{ time: 1n, f: 1n }]);
    const [file] = await table.persist([table.buffered(generation)]);
    assert.ok(file);
    await assert.rejects(table.read([{ kind: "file", file }]), (error) => error === failure);
  });

  test("a file is sorted by tags in the order of the series key, time and stamp", async () => {
    await using bench = await Bench.open(async (files) => plainEngine({ files }));
    const table = bench.table({ b: "tag", f: "integer", a: "tag" });
    const generation = bench.generation();
    await table.append(generation, 1, 9n, [
      { time: 2n, b: "x", a: "z", f: 9n },
      { time: 1n, b: "x", a: "z", f: 9n },
      { time: 3n, b: "y", f: 9n },
    ]);
    await table.append(generation, 2, 5n, [
      { time: 2n, b: "x", a: "z", f: 5n },
      { time: 9n, a: "z", f: 5n },
      { time: 9n, b: "x", a: "", f: 5n },
    ]);
    const [file] = await table.persist([table.buffered(generation)]);
    assert.ok(file);
    const sources = [{ kind: "file" as const, file }];
    const columns = ["b", "a", "time", "f"];
    // Unmerged rows come as they lie in the file.
    assertSameList(await bench.rows(table.scan([{ merge: false, sources }], { columns })), [
      [null, "z", 9n, 5n],
      ["x", "", 9n, 5n],
      ["x", "z", 1n, 9n],
      ["x", "z", 2n, 5n],
      ["x", "z", 2n, 9n],
      ["y", null, 3n, 9n],
    ]);
  });
});
