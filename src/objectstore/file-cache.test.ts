import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { scheduler } from "node:timers/promises";
import { utf8 } from "#base/bytes.ts";
import { crc32 } from "#base/crc32.ts";
import { DbError } from "#base/errors.ts";
import type { TimeRange } from "#model/time-range.ts";
import { silentLog } from "#ports/log.ts";
import type { ObjectStore } from "#ports/object-store.ts";
import { type CachedFile, FileCache } from "./file-cache.ts";
import { memoryStore } from "./memory.ts";

suite("FileCache", () => {
  test("gives a path to the bytes of the store, under a name of its own", async () => {
    await using world = await World.create();
    const file = await world.store("node/data/t1/a.parquet", "rows");
    const pinned = await world.cache.pin(file);
    assert.equal(await readFile(pinned.path, "utf8"), "rows");
    assert.match(pinned.path, /\/\d+\.parquet$/);
    assert.ok(pinned.path.startsWith(world.directory));
  });

  test("fetches a file once, however many ask", async () => {
    await using world = await World.create();
    const file = await world.store("a", "rows");
    const together = await Promise.all(Array.from({ length: 20 }, () => world.cache.pin(file)));
    for (const pinned of together) pinned.release();
    const later = await world.cache.pin(file);
    assert.deepEqual([later.path], [...new Set(together.map(({ path }) => path))]);
    assert.equal(world.fetchCount, 1);
  });

  test("fetches together what fits into memory, and a larger file alone", async () => {
    await using world = await World.create();
    const sizes: Readonly<Record<string, number>> = { a: 150, b: 150, c: 1_000, d: 10, e: 10 };
    const fetching = new Set<string>();
    const together: string[] = [];
    const get = async (key: string) => {
      fetching.add(key);
      together.push([...fetching].join(""));
      await scheduler.wait(5);
      fetching.delete(key);
      // Not what the record says; it was counted as that all the same.
      return utf8("rows");
    };
    const store = { ...world.options.store, get };
    const directory = join(world.directory, "other");
    await using cache = await FileCache.open({ ...world.options, store, directory });
    const pins = Object.entries(sizes).map(([key, mebibytes]) =>
      cache.pin({ ...fileOf(key, "rows"), sizeBytes: mebibytes * 2 ** 20 }),
    );
    const settled = await Promise.allSettled(pins);
    assert.ok(settled.every(({ status }) => status === "rejected"));
    assert.deepEqual(together, ["a", "b", "c", "d", "de"]);
  });

  test("does not fetch what it was given", async () => {
    await using world = await World.create();
    const file = fileOf("a", "rows");
    await world.cache.seed(file, utf8("rows"));
    await world.cache.seed(file, utf8("rows"));
    const pinned = await world.cache.pin(file);
    assert.equal(await readFile(pinned.path, "utf8"), "rows");
    assert.equal(world.fetchCount, 0);
    assert.equal(world.cache.sizeBytes, 4);
  });

  test("refuses bytes that do not match their record, and names the file", async () => {
    await using world = await World.create();
    const records: Readonly<Record<string, string>> = {
      "a flipped bit": "rowt",
      "a byte too few": "rows+",
      "a byte too many": "row",
      nothing: "",
    };
    for (const [damage, recorded] of Object.entries(records)) {
      const key = damage.replaceAll(" ", "-");
      const file = fileOf(key, recorded);
      await world.bucket.put(key, utf8("rows"));
      await assert.rejects(world.cache.pin(file), (error: unknown) => {
        assert.ok(error instanceof DbError);
        assert.deepEqual([error.kind, error.code], ["corrupt", "file_damaged"]);
        assert.equal(error.detail["key"], key);
        return true;
      });
    }
    await assert.rejects(world.cache.seed(fileOf("b", "rows"), utf8("rowt")), {
      code: "file_damaged",
    });
    assert.equal(world.cache.sizeBytes, 0);
    await world.settled(0);
  });

  test("refuses a record that contradicts an earlier one of the same file", async () => {
    await using world = await World.create();
    const file = await world.store("a", "rows");
    (await world.cache.pin(file)).release();
    const other = { ...file, checksum: file.checksum + 1 };
    await assert.rejects(world.cache.pin(other), { kind: "corrupt", code: "file_damaged" });
    (await world.cache.pin(file)).release();
  });

  test("says that a file vanished, and finds it when it is there again", async () => {
    await using world = await World.create();
    const file = fileOf("a", "rows");
    const vanished = { kind: "not_found", code: "file_vanished", detail: { key: "a" } };
    const together = [world.cache.pin(file), world.cache.pin(file)];
    for (const pinning of together) await assert.rejects(pinning, vanished);
    await world.store("a", "rows");
    assert.equal(await readFile((await world.cache.pin(file)).path, "utf8"), "rows");
  });

  test("gives up the least recently used file first", async () => {
    await using world = await World.create(12);
    const [a, b, c, d] = await world.storeAll(["a", "b", "c", "d"]);
    for (const file of [a, b, c, a, d]) (await world.cache.pin(file)).release();
    assert.equal(world.fetchCount, 4);
    await world.settled(3);
    for (const file of [a, c, d]) (await world.cache.pin(file)).release();
    assert.equal(world.fetchCount, 4);
    (await world.cache.pin(b)).release();
    assert.equal(world.fetchCount, 5);
    assert.equal(world.cache.sizeBytes, 12);
  });

  test("keeps pinned files over its size until they are released", async () => {
    await using world = await World.create(4);
    const files = await world.storeAll(["a", "b", "c", "d"]);
    const pins = await Promise.all(files.map((file) => world.cache.pin(file)));
    const again = await world.cache.pin(files[0]);
    assert.equal(world.cache.sizeBytes, 16);
    for (const { path } of pins) assert.equal(await readFile(path, "utf8"), "rows");
    for (const pinned of pins) {
      pinned.release();
      pinned.release();
    }
    assert.equal(world.cache.sizeBytes, 4);
    await world.settled(1);
    assert.equal(await readFile(again.path, "utf8"), "rows");
    again.release();
    assert.equal(world.cache.sizeBytes, 4);
  });

  test("makes room before it fetches", async () => {
    await using world = await World.create(8);
    const [a, b, c] = await world.storeAll(["a", "b", "c", "d"]);
    for (const file of [a, b]) (await world.cache.pin(file)).release();
    await world.cache.pin(c);
    assert.equal(world.cache.sizeBytes, 8);
    await world.settled(2);
  });

  test("a file larger than the cache is given all the same, and goes when it is released", async () => {
    await using world = await World.create(3);
    const pinned = await world.cache.pin(await world.store("a", "rows"));
    assert.equal(await readFile(pinned.path, "utf8"), "rows");
    pinned.release();
    assert.equal(world.cache.sizeBytes, 0);
    await world.settled(0);
  });

  test("keeps no copy of what is not to be kept, beyond those who read it", async () => {
    await using world = await World.create();
    const [old, young] = [fileOf("a", "rows", { start: 0n, end: 9n }), fileOf("b", "rows")];
    for (const { key } of [old, young]) await world.store(key, "rows");
    await using cache = await FileCache.open({
      ...world.options,
      keeps: ({ time }) => time.end >= 10n,
    });
    const [first, second] = await Promise.all([cache.pin(old), cache.pin(old)]);
    first.release();
    assert.equal(await readFile(second.path, "utf8"), "rows");
    second.release();
    (await cache.pin(young)).release();
    assert.equal(cache.sizeBytes, 4);
    await cache.seed(old, utf8("rows"));
    assert.equal(cache.sizeBytes, 4);
    assert.equal(world.fetchCount, 2);
  });

  test("with no room at all it keeps nothing, and gives what is asked for", async () => {
    await using world = await World.create(0);
    const file = await world.store("a", "rows");
    await world.cache.seed(file, utf8("rows"));
    const pinned = await world.cache.pin(file);
    assert.equal(await readFile(pinned.path, "utf8"), "rows");
    pinned.release();
    assert.equal(world.cache.sizeBytes, 0);
    assert.equal(world.fetchCount, 1);
  });

  test("fetches again what somebody removed or cut, under another name", async () => {
    await using world = await World.create();
    const file = await world.store("a", "rows");
    const first = await world.cache.pin(file);
    await rm(first.path);
    const [second, third] = await Promise.all([world.cache.pin(file), world.cache.pin(file)]);
    assert.equal(second.path, third.path);
    assert.notEqual(second.path, first.path);
    await truncate(second.path, 2);
    const fourth = await world.cache.pin(file);
    assert.equal(await readFile(fourth.path, "utf8"), "rows");
    for (const pinned of [first, second, third, fourth]) pinned.release();
    assert.equal(world.fetchCount, 3);
    assert.equal(world.cache.sizeBytes, 4);
  });

  test("tells that the local disk does not take a file", async () => {
    await using world = await World.create();
    const file = await world.store("a", "rows");
    await rm(world.directory, { recursive: true });
    await assert.rejects(world.cache.pin(file), {
      kind: "unavailable",
      code: "file_cache_unwritable",
    });
    await mkdir(world.directory);
    (await world.cache.pin(file)).release();
  });

  test("empties its folder when it opens and when it closes, of its own files alone", async () => {
    await using world = await World.create();
    await world.cache.pin(await world.store("a", "rows"));
    for (const name of ["17.parquet", "mine.parquet", "17.txt"]) {
      await writeFile(join(world.directory, name), "left behind");
    }
    await using again = await FileCache.open(world.options);
    assert.deepEqual((await readdir(world.directory)).toSorted(), ["17.txt", "mine.parquet"]);
    (await again.pin(await world.store("b", "rows"))).release();
    await again[Symbol.asyncDispose]();
    assert.deepEqual((await readdir(world.directory)).toSorted(), ["17.txt", "mine.parquet"]);
    await assert.rejects(again.pin(fileOf("a", "rows")), { code: "file_cache_closed" });
  });

  test("a folder that cannot be used is named at the opening", async () => {
    await using world = await World.create();
    await writeFile(join(world.directory, "file"), "");
    const opening = FileCache.open({ ...world.options, directory: join(world.directory, "file") });
    await assert.rejects(opening, { kind: "invalid", code: "data_dir_unusable" });
  });
});

function fileOf(key: string, text: string, time: TimeRange = { start: 0n, end: 100n }): CachedFile {
  return { key, sizeBytes: text.length, checksum: crc32(utf8(text)), time };
}

/** A cache over a bucket, in a folder of its own. */
class World implements AsyncDisposable {
  readonly directory: string;
  readonly bucket = memoryStore();
  readonly options: Parameters<typeof FileCache.open>[0];
  #cache: FileCache | undefined;
  fetchCount = 0;

  static async create(sizeMax = 1_000): Promise<World> {
    const world = new World(await mkdtemp(join(tmpdir(), "file-cache-")), sizeMax);
    world.#cache = await FileCache.open(world.options);
    return world;
  }

  private constructor(directory: string, sizeMax: number) {
    this.directory = directory;
    const { bucket } = this;
    const store: ObjectStore = {
      putIfAbsent: (key, body) => bucket.putIfAbsent(key, body),
      put: (key, body) => bucket.put(key, body),
      get: (key) => {
        this.fetchCount += 1;
        return bucket.get(key);
      },
      list: (prefix, options) => bucket.list(prefix, options),
      delete: (key) => bucket.delete(key),
    };
    this.options = { store, directory, sizeMax, log: silentLog };
  }

  get cache(): FileCache {
    assert.ok(this.#cache !== undefined);
    return this.#cache;
  }

  async store(key: string, text: string): Promise<CachedFile> {
    await this.bucket.put(key, utf8(text));
    return fileOf(key, text);
  }

  async storeAll(keys: [string, string, string, string]) {
    for (const key of keys) await this.store(key, "rows");
    const [a, b, c, d] = keys;
    return [fileOf(a, "rows"), fileOf(b, "rows"), fileOf(c, "rows"), fileOf(d, "rows")] as const;
  }

  /** Waits until as many files as `fileCount` are left; removals run beside the cache's answers. */
  async settled(fileCount: number): Promise<void> {
    for (let attempt = 1; attempt < 1_000; attempt += 1) {
      if ((await readdir(this.directory)).length === fileCount) return;
    }
    assert.equal((await readdir(this.directory)).length, fileCount);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cache?.[Symbol.asyncDispose]();
    await rm(this.directory, { recursive: true, force: true });
  }
}
