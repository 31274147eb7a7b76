import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import {
  chmod,
  cp,
  link,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import * as fc from "fast-check";
import { utf8 } from "#base/bytes.ts";
import { silentLog } from "#ports/log.ts";
import { type Random } from "#ports/random.ts";
import { objectStoreContract } from "./contract.ts";
import { FileStore } from "./file.ts";
import { storeErrorOf } from "./file-errors.ts";
import { isWhole } from "./file-worker.ts";
import { memoryStore } from "./memory.ts";

const WORKER = fileURLToPath(new URL("./file-worker.ts", import.meta.url));
const TEN_MINUTES_MS = 600_000;
const random: Random = { next: Math.random };

objectStoreContract("FileStore", async () => {
  const folder = await TestFolder.create();
  return {
    store: await folder.open(),
    openAgain: () => folder.open(),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
});

suite("FileStore", () => {
  test("an object is a file of its name and nothing else", async () => {
    await using folder = await TestFolder.create();
    const store = await folder.open();
    await store.putIfAbsent("node/log/00000000000000000001", utf8("entry"));
    await store.put("node/log/00000000000000000001", utf8("stone"));
    await assert.rejects(store.putIfAbsent("node/log/00000000000000000001", utf8("late")));
    const path = folder.path("node/log/00000000000000000001");
    assert.equal(await readFile(path, "utf8"), "stone");
    assert.deepEqual(await readdir(folder.path(".tmp~")), []);
    assert.deepEqual((await readdir(folder.root)).toSorted(), [".tmp~", "node"]);
  });

  test("a copy of the folder is the same store", async () => {
    await using folder = await TestFolder.create();
    const store = await folder.open();
    await store.putIfAbsent("a/b", utf8("body"));
    await store[Symbol.asyncDispose]();
    await cp(folder.root, folder.path("../copy"), { recursive: true });
    const copy = await folder.open("../copy");
    assert.deepEqual(await copy.get("a/b"), utf8("body"));
  });

  test("files that no key can name are not listed, and others' truncated ones are", async () => {
    await using folder = await TestFolder.create();
    const store = await folder.open();
    await mkdir(folder.path("a"));
    await mkdir(folder.path("lost+found"));
    for (const name of ["a/b~", "a/#c#", "a/d e", "lost+found/f", ".tmp~/g"]) {
      await writeFile(folder.path(name), "not ours");
    }
    await writeFile(folder.path("a/torn"), "");
    assert.deepEqual(await store.list(""), [{ key: "a/torn", sizeBytes: 0 }]);
    assert.deepEqual(await store.get("a/torn"), new Uint8Array());
    await assert.rejects(store.putIfAbsent("a/torn", utf8("body")), { code: "object_exists" });
  });

  test("a key cannot be both an object and a folder", async () => {
    await using folder = await TestFolder.create();
    const store = await folder.open();
    await store.putIfAbsent("a/b", utf8("body"));
    const invalid = { kind: "invalid", code: "object_key_invalid" };
    await assert.rejects(store.putIfAbsent("a", utf8("body")), invalid);
    await assert.rejects(store.put("a", utf8("body")), invalid);
    await assert.rejects(store.putIfAbsent("a/b/c", utf8("body")), invalid);
    await assert.rejects(store.put("a/b/c", utf8("body")), invalid);
    await store.delete("a");
    await store.delete("a/b/c");
    assert.deepEqual(await store.list(""), [{ key: "a/b", sizeBytes: 4 }]);
    assert.deepEqual(await readdir(folder.path(".tmp~")), []);
  });

  test("a folder that somebody removed is made again", async () => {
    await using folder = await TestFolder.create();
    const store = await folder.open();
    await store.putIfAbsent("a/b/c", utf8("body"));
    await rm(folder.path("a"), { recursive: true });
    await store.putIfAbsent("a/b/c", utf8("body"));
    await rm(folder.path("a"), { recursive: true });
    await store.put("a/b/c", utf8("body"));
    assert.deepEqual(await store.list(""), [{ key: "a/b/c", sizeBytes: 4 }]);
  });

  test("a store whose folder vanished is unreachable, and not begun anew", async () => {
    await using folder = await TestFolder.create();
    const store = await folder.open();
    await rm(folder.root, { recursive: true });
    await assert.rejects(store.putIfAbsent("a", utf8("body")), {
      kind: "unavailable",
      code: "store_unreachable",
      detail: { key: "a", errno: "ENOENT" },
    });
    await assert.rejects(readdir(folder.root));
  });

  test("a closed store waits for what runs and refuses what comes", async () => {
    await using folder = await TestFolder.create();
    const store = await folder.open();
    const writing = store.putIfAbsent("a", utf8("body"));
    const order: string[] = [];
    await Promise.all([
      store[Symbol.asyncDispose]().finally(() => order.push("closed")),
      writing.finally(() => order.push("written")),
    ]);
    assert.deepEqual(order, ["written", "closed"]);
    await store[Symbol.asyncDispose]();
    await assert.rejects(store.get("a"), { code: "store_unreachable" });
  });

  test("errors of the file system say what to do and about which key", () => {
    const cases = {
      ENOSPC: "store_full",
      EDQUOT: "store_full",
      EACCES: "store_read_only",
      EPERM: "store_read_only",
      EROFS: "store_read_only",
      EIO: "store_unreachable",
      EMFILE: "store_unreachable",
      ESTALE: "store_unreachable",
    };
    for (const [errno, code] of Object.entries(cases)) {
      const error = storeErrorOf(Object.assign(new Error(errno), { code: errno }), "a/b");
      const found = { kind: error.kind, code: error.code, detail: error.detail };
      assert.deepEqual(found, { kind: "unavailable", code, detail: { key: "a/b", errno } });
    }
  });

  test("lists as the memory store does", async () => {
    const name = fc.string({
      unit: fc.constantFrom("-", ".", "0", "=", "A", "_", "a"),
      minLength: 1,
      maxLength: 2,
    });
    const part = name.filter((text) => !text.startsWith("."));
    const key = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"));
    const asked = fc.record({ key, cut: fc.nat(6), after: key, countMax: fc.nat(5) });
    await using folder = await TestFolder.create();
    let storeCount = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(key, { maxLength: 8 }),
        fc.array(asked),
        async (all, asks) => {
          storeCount += 1;
          await using store = await folder.open(`store/${storeCount}`);
          const model = memoryStore();
          // Other than the memory store, a folder cannot hold "a" beside "a/b".
          const keys = all.filter((some) => !all.some((other) => other.startsWith(`${some}/`)));
          for (const some of keys) {
            await store.putIfAbsent(some, utf8(some));
            await model.putIfAbsent(some, utf8(some));
          }
          assert.deepEqual(await store.list(""), await model.list(""));
          for (const { key: some, cut, ...options } of asks) {
            const prefix = some.slice(0, cut);
            assert.deepEqual(await store.list(prefix, options), await model.list(prefix, options));
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});

suite("FileStore at its opening", () => {
  test("makes the folder and those above it", async () => {
    await using folder = await TestFolder.create();
    const store = await folder.open("x/y/z");
    await store.putIfAbsent("a", utf8("body"));
    assert.equal(await readFile(folder.path("x/y/z/a"), "utf8"), "body");
  });

  test("a file where the folder should be is named", async () => {
    await using folder = await TestFolder.create();
    await folder.open();
    await writeFile(folder.path("file"), "");
    const unusable = { kind: "invalid", code: "data_dir_unusable" };
    await assert.rejects(folder.open("file"), { ...unusable, message: /file stands where/ });
    await assert.rejects(folder.open("file/beneath"), unusable);
  });

  test("a place that cannot hold folders is named, not tried for ever", async (context) => {
    if (!existsSync("/proc/self")) return context.skip("there is no /proc here");
    for (const directory of ["/proc/tidelake", "/proc/tidelake/store", "/proc"]) {
      await assert.rejects(FileStore.open(directory, { random, log: silentLog }), {
        kind: "invalid",
        code: "data_dir_unusable",
        message: /no folder can be made there/,
      });
    }
  });

  test("a folder that may not be written is named", async () => {
    await using folder = await TestFolder.create();
    await folder.open("locked");
    await rm(folder.path("locked/.tmp~"), { recursive: true });
    await chmod(folder.path("locked"), 0o555);
    await chmod(folder.path(".."), 0o755);
    // Root may write everywhere, so it asks a process of another user.
    const user = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
    const worker = new Worker(["open", folder.path("locked")], user);
    assert.deepEqual(await worker.ended(), ["data_dir_unusable"]);
  });

  test("removes what dead processes left, and nothing of live ones", async () => {
    await using folder = await TestFolder.create();
    const first = await folder.open();
    await first.putIfAbsent("a", utf8("body"));
    await writeFile(folder.path(".tmp~/dead-1"), "half a bo");
    await link(folder.path("a"), folder.path(".tmp~/dead-2"));
    await writeFile(folder.path(".tmp~/live-1"), "half a bo");
    const long = new Date(Date.now() - TEN_MINUTES_MS - 5_000);
    const short = new Date(Date.now() - TEN_MINUTES_MS + 60_000);
    await utimes(folder.path(".tmp~/dead-1"), long, long);
    await utimes(folder.path(".tmp~/dead-2"), long, long);
    await utimes(folder.path(".tmp~/live-1"), short, short);
    const second = await folder.open();
    assert.deepEqual(await readdir(folder.path(".tmp~")), ["live-1"]);
    assert.deepEqual(await second.get("a"), utf8("body"));
  });

  test("a writer whose temporary file was removed writes it again", async () => {
    await using folder = await TestFolder.create();
    const store = await folder.open();
    const writing = store.putIfAbsent("a", new Uint8Array(8 * 1024 * 1024));
    // Taken away as soon as it is there, while it is still being written.
    for (;;) {
      const [name] = await readdir(folder.path(".tmp~"));
      if (name === undefined) continue;
      await rm(folder.path(`.tmp~/${name}`), { force: true });
      break;
    }
    await writing;
    assert.deepEqual(await store.list(""), [{ key: "a", sizeBytes: 8 * 1024 * 1024 }]);
  });
});

suite("FileStore among processes", () => {
  test("of processes that create one key, exactly one wins", async () => {
    await using folder = await TestFolder.create();
    const workers = [1, 2, 3].map(() => new Worker(["race", folder.root, "150"]));
    const won = (await Promise.all(workers.map((worker) => worker.ended()))).flat();
    const numbers = won.map(Number).toSorted((left, right) => left - right);
    assert.deepEqual(
      numbers,
      Array.from({ length: 150 }, (_, number) => number),
    );
    assert.deepEqual(await readdir(folder.path(".tmp~")), []);
  });

  test("a process that is killed leaves whole objects, and all that it was answered", async () => {
    await using folder = await TestFolder.create();
    for (const [round, answerCount] of [1, 7, 20, 33].entries()) {
      const worker = new Worker(["loop", folder.root, `w${round}`]);
      const answered = await worker.killedAfter(answerCount);
      await using store = await folder.open();
      const listed = (await store.list(`w${round}/`)).map(({ key }) => key);
      for (const key of listed) {
        const body = await store.get(key);
        assert.ok(body !== undefined && isWhole(body), `${key} is whole`);
      }
      for (const key of answered) assert.ok(listed.includes(key), `${key} is there`);
    }
  });
});

/** A folder for one test, with stores in it that are closed at its end. */
class TestFolder implements AsyncDisposable {
  readonly root: string;
  readonly #outer: string;
  readonly #stores: FileStore[] = [];

  static async create(): Promise<TestFolder> {
    return new TestFolder(await mkdtemp(join(tmpdir(), "file-store-")));
  }

  private constructor(outer: string) {
    this.#outer = outer;
    this.root = join(outer, "root");
  }

  path(name: string): string {
    return join(this.root, name);
  }

  async open(name = ""): Promise<FileStore> {
    const store = await FileStore.open(this.path(name), { random, log: silentLog });
    this.#stores.push(store);
    return store;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const store of this.#stores) await store[Symbol.asyncDispose]();
    await rm(this.#outer, { recursive: true, force: true });
  }
}

/** A running file-worker.ts and the lines it printed. */
class Worker {
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  readonly #closed: Promise<number | null>;
  #onLine: () => void = () => undefined;

  constructor(parameters: readonly string[], user: { uid?: number; gid?: number } = {}) {
    const stdio = ["ignore", "pipe", "inherit"] as const;
    const child = spawn(process.execPath, [WORKER, ...parameters], { stdio: [...stdio], ...user });
    this.#child = child;
    this.#closed = new Promise((resolve) => child.once("close", resolve));
    createInterface({ input: child.stdout }).on("line", (line) => {
      this.#lines.push(line);
      this.#onLine();
    });
  }

  async ended(): Promise<readonly string[]> {
    assert.equal(await this.#closed, 0);
    return this.#lines;
  }

  async killedAfter(lineCount: number): Promise<readonly string[]> {
    await new Promise<void>((resolve) => {
      this.#onLine = () => {
        if (this.#lines.length >= lineCount) resolve();
      };
      void this.#closed.then(() => resolve());
    });
    this.#child.kill("SIGKILL");
    await this.#closed;
    assert.ok(this.#lines.length >= lineCount, "it was killed, and did not fail before");
    return this.#lines;
  }
}
