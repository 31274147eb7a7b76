import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { utf8 } from "#base/bytes.ts";
import { DbError } from "#base/errors.ts";
import {
  OBJECT_KEY_PART_SIZE_MAX,
  OBJECT_KEY_SIZE_MAX,
  type ObjectStore,
} from "#ports/object-store.ts";

/** An empty store, opened for one test. */
export interface ContractSubject extends AsyncDisposable {
  readonly store: ObjectStore;
  /** The same bucket through another client, as another node has it; the subject disposes of it. */
  openAgain(): Promise<ObjectStore>;
}

type Open = () => Promise<ContractSubject>;
type Check = (store: ObjectStore, subject: ContractSubject) => Promise<void>;

const RACER_COUNT = 100;
const LARGE_SIZE_BYTES = 16 * 1024 * 1024;

/** Tests that every adapter of the store port passes (ports/object-store.ts). */
export function objectStoreContract(name: string, open: Open): void {
  suite(`${name} keeps the contract of an object store`, () => {
    const checks = { ...WRITING, ...READING, ...LISTING, ...KEYS, ...SHARING };
    for (const [sentence, check] of Object.entries(checks)) {
      test(sentence, async () => {
        await using subject = await open();
        await check(subject.store, subject);
      });
    }
  });
}

const WRITING: Readonly<Record<string, Check>> = {
  "an object put if absent is read back": async (store) => {
    await store.putIfAbsent("a/b", utf8("body"));
    assert.equal(await textOf(store, "a/b"), "body");
  },
  "an object that exists is neither created again nor changed": async (store) => {
    await store.putIfAbsent("a", utf8("first"));
    await assert.rejects(store.putIfAbsent("a", utf8("second")), isConflict);
    await assert.rejects(store.putIfAbsent("a", utf8("first")), isConflict);
    assert.equal(await textOf(store, "a"), "first");
  },
  "an object that was put is in the way of one put if absent": async (store) => {
    await store.put("a", utf8("first"));
    await assert.rejects(store.putIfAbsent("a", utf8("second")), isConflict);
  },
  "put creates and replaces": async (store) => {
    await store.put("a/b", utf8("a longer first body"));
    assert.equal(await textOf(store, "a/b"), "a longer first body");
    await store.put("a/b", utf8("second"));
    assert.equal(await textOf(store, "a/b"), "second");
    await store.put("a/b", utf8("a longer third body"));
    assert.equal(await textOf(store, "a/b"), "a longer third body");
  },
  "a deleted object is gone, and its key may be used again": async (store) => {
    await store.putIfAbsent("a/b", utf8("first"));
    await store.putIfAbsent("a/c", utf8("other"));
    await store.delete("a/b");
    assert.equal(await store.get("a/b"), undefined);
    assert.deepEqual(await keysOf(store, ""), ["a/c"]);
    await store.putIfAbsent("a/b", utf8("second"));
    assert.equal(await textOf(store, "a/b"), "second");
  },
  "deleting what is not there resolves": async (store) => {
    await store.delete("a");
    await store.delete("no/such/folder");
    await store.putIfAbsent("a", utf8("body"));
    await store.delete("a");
    await store.delete("a");
    assert.deepEqual(await keysOf(store, ""), []);
  },
};

const READING: Readonly<Record<string, Check>> = {
  "what is not there is undefined": async (store) => {
    assert.equal(await store.get("a"), undefined);
    await store.putIfAbsent("folder/a", utf8("body"));
    assert.equal(await store.get("folder/b"), undefined);
    assert.equal(await store.get("folder"), undefined);
    assert.equal(await store.get("folder/a/b"), undefined);
  },
  "an empty body is an object": async (store) => {
    await store.putIfAbsent("a", new Uint8Array());
    await store.put("b", new Uint8Array());
    assert.deepEqual(await bytesOf(store, "a"), new Uint8Array());
    assert.deepEqual(await bytesOf(store, "b"), new Uint8Array());
    await assert.rejects(store.putIfAbsent("a", utf8("body")), isConflict);
    assert.deepEqual(await store.list(""), [
      { key: "a", sizeBytes: 0 },
      { key: "b", sizeBytes: 0 },
    ]);
  },
  "a body keeps every byte value, and only the view that was passed": async (store) => {
    const all = Uint8Array.from({ length: 300 }, (_, index) => index);
    await store.putIfAbsent("a", all.subarray(20, 290));
    assert.deepEqual(await bytesOf(store, "a"), all.slice(20, 290));
  },
  "a body of 16 MiB is read back whole, and kept where another is refused": async (store) => {
    const body = new Uint8Array(LARGE_SIZE_BYTES);
    for (let offset = 0; offset < body.length; offset += 997) body[offset] = offset / 997;
    await store.putIfAbsent("large", body);
    await assert.rejects(store.putIfAbsent("large", new Uint8Array(LARGE_SIZE_BYTES)), isConflict);
    const read = await bytesOf(store, "large");
    assert.equal(Buffer.compare(read, body), 0);
    assert.deepEqual(await store.list(""), [{ key: "large", sizeBytes: body.length }]);
  },
  "bytes passed or received are the caller's afterwards": async (store) => {
    for (const bytes of [utf8("body"), Buffer.from("body")]) {
      const body = bytes;
      await store.put("a", body);
      body.fill(0);
      const read = await bytesOf(store, "a");
      read.fill(1);
      assert.equal(await textOf(store, "a"), "body");
    }
  },
};

const LISTING: Readonly<Record<string, Check>> = {
  "a list gives keys in byte order, whatever their folders": async (store) => {
    // In order of bytes: "-" "." "/" "0" "=" "A" "_" "a".
    const keys = [
      "a-",
      "a-0/b",
      "a.b",
      "a/-",
      "a/b/c",
      "a/b0",
      "a0",
      "a1/x",
      "a=",
      "aA",
      "a_",
      "aa",
    ];
    for (const key of keys.toReversed()) await store.putIfAbsent(key, utf8(key));
    const expected = keys.toSorted((left, right) => Buffer.compare(utf8(left), utf8(right)));
    assert.deepEqual(await keysOf(store, ""), expected);
    assert.deepEqual(await keysOf(store, "a"), expected);
    assert.deepEqual(await keysOf(store, "a/"), ["a/-", "a/b/c", "a/b0"]);
  },
  "a prefix is text, not a folder": async (store) => {
    for (const key of ["log/001", "log/002", "log/010", "logs/001", "lo"]) {
      await store.putIfAbsent(key, utf8("body"));
    }
    assert.deepEqual(await keysOf(store, "log/00"), ["log/001", "log/002"]);
    assert.deepEqual(await keysOf(store, "log"), ["log/001", "log/002", "log/010", "logs/001"]);
    assert.deepEqual(await keysOf(store, "log/001"), ["log/001"]);
    assert.deepEqual(await keysOf(store, "log/001/"), []);
    assert.deepEqual(await keysOf(store, "nothing/here"), []);
  },
  "a list tells sizes": async (store) => {
    await store.putIfAbsent("a", utf8("12345"));
    await store.put("b/c", utf8("1"));
    await store.put("b/c", utf8("123"));
    assert.deepEqual(await store.list(""), [
      { key: "a", sizeBytes: 5 },
      { key: "b/c", sizeBytes: 3 },
    ]);
  },
  "a list begins above `after` and ends at `countMax`": async (store) => {
    const keys = ["a/1", "a/2", "b-", "b-1/1", "b/1", "b/2", "b0", "c/1"];
    const expected = keys.toSorted();
    for (const key of keys) await store.putIfAbsent(key, utf8("body"));
    for (const after of ["", "0", "a", "a/", "a/1", "a/10", "b", "b/", "b/1", "b/9", "c/1", "d"]) {
      const above = expected.filter((key) => key > after);
      assert.deepEqual(await keysOf(store, "", { after }), above, `after ${after}`);
      for (const countMax of [0, 1, 2, 100]) {
        const some = await keysOf(store, "", { after, countMax });
        assert.deepEqual(some, above.slice(0, countMax), `${countMax} after ${after}`);
      }
    }
    assert.deepEqual(await keysOf(store, "b", { after: "a" }), ["b-", "b-1/1", "b/1", "b/2", "b0"]);
    assert.deepEqual(await keysOf(store, "b/", { after: "b/1" }), ["b/2"]);
    assert.deepEqual(await keysOf(store, "a", { after: "b" }), []);
  },
  "a list has every object": async (store) => {
    const keys = Array.from({ length: 300 }, (_, index) => `f${index % 7}/${index}`);
    await Promise.all(keys.map((key) => store.putIfAbsent(key, utf8(key))));
    assert.deepEqual(await keysOf(store, ""), keys.toSorted());
    // Page by page, as a reader of a large bucket does.
    const paged: string[] = [];
    for (;;) {
      const page = await keysOf(store, "", { after: paged.at(-1) ?? "", countMax: 37 });
      paged.push(...page);
      if (page.length < 37) break;
    }
    assert.deepEqual(paged, keys.toSorted());
  },
};

const INVALID_KEYS = [
  "",
  "/",
  "/a",
  "a/",
  "a//b",
  ".",
  "..",
  "../a",
  ".hidden",
  "a/.b",
  "a/..",
  "a/../b",
  "a/./b",
  "a b",
  "a\\b",
  "a\0b",
  "a\n",
  "ä",
  "a~",
  "a:b",
  "a%2e",
  "a".repeat(OBJECT_KEY_PART_SIZE_MAX + 1),
  `${"a/".repeat(OBJECT_KEY_SIZE_MAX / 2)}b`,
];

const KEYS: Readonly<Record<string, Check>> = {
  "keys hold all the characters they may": async (store) => {
    const upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const keys = [
      `${upper}${upper.toLowerCase()}0123456789-_.=`,
      "a.../b.",
      "-/=/_",
      "a/b=c/d.e/00000000000000000001",
      "b".repeat(OBJECT_KEY_PART_SIZE_MAX),
      Array<string>(4).fill("c".repeat(OBJECT_KEY_PART_SIZE_MAX)).join("/"),
      // As long as a key may be.
      Array<string>(OBJECT_KEY_SIZE_MAX / 16)
        .fill("d".repeat(15))
        .join("/")
        .concat("d"),
    ];
    for (const key of keys) await store.putIfAbsent(key, utf8(key));
    for (const key of keys) assert.equal(await textOf(store, key), key);
    assert.deepEqual(await keysOf(store, ""), keys.toSorted());
    for (const key of keys) await store.delete(key);
    assert.deepEqual(await keysOf(store, ""), []);
  },
  "other keys are refused by every operation": async (store) => {
    for (const key of INVALID_KEYS) {
      const body = utf8("body");
      await assert.rejects(store.putIfAbsent(key, body), isInvalidKey, `putIfAbsent ${key}`);
      await assert.rejects(store.put(key, body), isInvalidKey, `put ${key}`);
      await assert.rejects(store.get(key), isInvalidKey, `get ${key}`);
      await assert.rejects(store.delete(key), isInvalidKey, `delete ${key}`);
    }
    for (const prefix of ["/", "../", "a//", "a/../", "~", "a b"]) {
      await assert.rejects(store.list(prefix), isInvalidKey, `list ${prefix}`);
    }
    assert.deepEqual(await keysOf(store, ""), []);
  },
};

const SHARING: Readonly<Record<string, Check>> = {
  "of a hundred that create one key at once, exactly one wins": async (store) => {
    await race("race/1", () => store);
  },
  "of many clients that create one key at once, exactly one wins": async (store, subject) => {
    const stores = [store, ...(await Promise.all([1, 2, 3].map(() => subject.openAgain())))];
    for (let round = 1; round <= 5; round += 1) {
      await race(`race/${round}`, (racer) => stores[racer % stores.length] ?? store);
    }
  },
  "every client sees what any other was answered": async (store, subject) => {
    const other = await subject.openAgain();
    await store.putIfAbsent("a/1", utf8("one"));
    assert.equal(await textOf(other, "a/1"), "one");
    await other.put("a/1", utf8("two"));
    assert.equal(await textOf(store, "a/1"), "two");
    await other.putIfAbsent("a/2", utf8("three"));
    assert.deepEqual(await keysOf(store, "a/"), ["a/1", "a/2"]);
    await store.delete("a/1");
    assert.equal(await other.get("a/1"), undefined);
    assert.deepEqual(await keysOf(other, ""), ["a/2"]);
  },
  "an object that is being created is absent or whole": async (store, subject) => {
    const other = await subject.openAgain();
    const body = new Uint8Array(LARGE_SIZE_BYTES / 2).fill(7);
    const creating = store.putIfAbsent("a", body);
    let seen: Uint8Array | undefined;
    for (let attempt = 1; seen === undefined && attempt <= 100_000; attempt += 1) {
      const [listed] = await other.list("");
      if (listed !== undefined) assert.equal(listed.sizeBytes, body.length);
      seen = await other.get("a");
    }
    assert.equal(Buffer.compare(seen ?? new Uint8Array(), body), 0);
    await creating;
  },
  "a page is full although objects are deleted while it is read": async (store, subject) => {
    const other = await subject.openAgain();
    const keys = Array.from({ length: 200 }, (_, index) => `log/${1_000 + index}`);
    await Promise.all(keys.map((key) => store.putIfAbsent(key, utf8(key))));
    const deleting = Promise.all(keys.slice(0, 150).map((key) => other.delete(key)));
    for (let round = 1; round <= 5; round += 1) {
      assert.equal((await store.list("log/", { countMax: 50 })).length, 50);
    }
    await deleting;
    assert.deepEqual(await keysOf(store, ""), keys.slice(150));
  },
  "an object that is replaced is read whole, as the old one or the new": async (store, subject) => {
    const other = await subject.openAgain();
    const bodies = [utf8("a".repeat(100_000)), utf8("b".repeat(70_000))];
    await store.put("a", bodies[0] ?? utf8(""));
    const writing = (async () => {
      for (let round = 1; round <= 20; round += 1)
        await store.put("a", bodies[round % 2] ?? utf8(""));
    })();
    for (let round = 1; round <= 40; round += 1) {
      const read = await bytesOf(other, "a");
      assert.ok(bodies.some((body) => Buffer.compare(body, read) === 0));
    }
    await writing;
  },
};

/** Lets a hundred create `key`, and checks that one did and that its body is the one that stays. */
async function race(key: string, storeOf: (racer: number) => ObjectStore): Promise<void> {
  const racers = Array.from({ length: RACER_COUNT }, (_, racer) => racer);
  const results = await Promise.allSettled(
    racers.map((racer) => storeOf(racer).putIfAbsent(key, utf8(`body of ${racer}`))),
  );
  const winners = racers.filter((racer) => results[racer]?.status === "fulfilled");
  assert.equal(winners.length, 1);
  for (const result of results) {
    if (result.status === "rejected") assert.ok(isConflict(result.reason), String(result.reason));
  }
  for (const racer of racers.slice(0, 8)) {
    assert.equal(await textOf(storeOf(racer), key), `body of ${winners[0]}`);
  }
}

async function bytesOf(store: ObjectStore, key: string): Promise<Uint8Array> {
  const body = await store.get(key);
  assert.ok(body !== undefined, `${key} is there`);
  // A Buffer is compared as the plain array that it is.
  return new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
}

async function textOf(store: ObjectStore, key: string): Promise<string> {
  return new TextDecoder().decode(await bytesOf(store, key));
}

async function keysOf(
  store: ObjectStore,
  prefix: string,
  options: { after?: string; countMax?: number } = {},
): Promise<string[]> {
  return (await store.list(prefix, options)).map(({ key }) => key);
}

function isConflict(error: unknown): boolean {
  return error instanceof DbError && error.kind === "conflict" && error.code === "object_exists";
}

function isInvalidKey(error: unknown): boolean {
  return (
    error instanceof DbError && error.kind === "invalid" && error.code === "object_key_invalid"
  );
}
