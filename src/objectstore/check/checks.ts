import { inTurns } from "#base/async.ts";
import { equalBytes, utf8 } from "#base/bytes.ts";
import { isKind } from "#base/errors.ts";
import type { ObjectStore } from "#ports/object-store.ts";

/** One thing that a cluster needs of its store. */
export interface StoreCheck {
  /** What holds when it passes. */
  readonly sentence: string;
  /** What goes wrong on a store where it does not. */
  readonly danger: string;
  /** Resolves with what is otherwise, or undefined where all is well. `prefix` ends in a slash and is for this check alone. */
  run(store: ObjectStore, prefix: string): Promise<string | undefined>;
}

const RACER_COUNT = 32;
/** Of requests that are many. */
export const REQUESTS_AT_ONCE = 32;
const LARGE_SIZE_BYTES = 8 * 1024 * 1024;
/** More than the thousand that clouds put into one page. */
const MANY_COUNT = 1_005;
const PAGE_COUNT = 7;
/** In order of bytes, which is not that of dictionaries. */
const ORDERED = ["a-", "a-0/b", "a.b", "a/-", "a/b0", "a0", "a=", "aA", "a_", "aa", "b"];

export const STORE_CHECKS: readonly StoreCheck[] = [
  {
    sentence: "an object that was put is read back at once",
    danger: "acknowledged writes could be missing from answers",
    async run(store, prefix) {
      const key = `${prefix}object`;
      await store.put(key, utf8("first"));
      if (!(await holds(store, key, "first"))) return "it is not there, or has other bytes";
      await store.put(key, utf8("a second body"));
      return (await holds(store, key, "a second body"))
        ? undefined
        : "after it was replaced the older body was read";
    },
  },
  {
    sentence: "what is not there is reported as absent",
    danger: "nodes could not find the ends of their logs",
    async run(store, prefix) {
      const found = await store.get(`${prefix}nothing`);
      return found === undefined ? undefined : `${found.length} bytes were read`;
    },
  },
  {
    sentence: "putting if absent is refused where an object stands, and leaves it as it was",
    danger: "nodes would overwrite each other's log entries, and acknowledged writes would be lost",
    async run(store, prefix) {
      const key = `${prefix}object`;
      await store.putIfAbsent(key, utf8("first"));
      const taken = await isTaken(store, key, "second");
      if (await holds(store, key, "second")) return "the second put replaced the first";
      if (taken) return "the second put was acknowledged";
      return (await holds(store, key, "first")) ? undefined : "the object is gone";
    },
  },
  {
    sentence: `of ${RACER_COUNT} that put one name if absent at once, exactly one succeeds`,
    danger: "two nodes could both believe that an entry is theirs",
    async run(store, prefix) {
      const key = `${prefix}object`;
      const racers = Array.from({ length: RACER_COUNT }, (_, index) => `racer ${index}`);
      const taken = await Promise.all(racers.map((racer) => isTaken(store, key, racer)));
      const winners = racers.filter((_, index) => taken[index]);
      const [winner = ""] = winners;
      if (winners.length !== 1) return `${winners.length} succeeded`;
      return (await holds(store, key, winner)) ? undefined : "another one's object stands there";
    },
  },
  {
    sentence: "a list has an object as soon as it was put, and not any more once it was deleted",
    danger: "a starting node could miss the newest checkpoint of a log",
    async run(store, prefix) {
      for (let round = 1; round <= 5; round += 1) {
        const key = `${prefix}object${round}`;
        await store.put(key, utf8("body"));
        const [listed] = await store.list(key);
        if (listed === undefined) return "it does not have the object";
        if (listed.sizeBytes !== 4) return `it says ${listed.sizeBytes} bytes of an object of 4`;
        await store.delete(key);
        if ((await store.list(key)).length > 0) return "it still has the deleted object";
      }
      return undefined;
    },
  },
  {
    sentence: "a list is in order of bytes, and begins behind the name it is told",
    danger: "the newest entries and checkpoints would not be where nodes look for them",
    async run(store, prefix) {
      await Promise.all(ORDERED.map((name) => store.put(`${prefix}${name}`, utf8("body"))));
      const all = await namesOf(store, prefix);
      if (all.join(" ") !== ORDERED.join(" ")) return `it gives ${all.join(", ")}`;
      const after = await namesOf(store, prefix, `${prefix}a/b`);
      const expected = ORDERED.filter((name) => name > "a/b");
      return after.join(" ") === expected.join(" ")
        ? undefined
        : `behind a/b it gives ${after.join(", ") || "nothing"}`;
    },
  },
  {
    sentence: `a list of ${MANY_COUNT.toLocaleString("en")} objects is whole, at once and page by page`,
    danger: "objects would be taken for missing, or be forgotten",
    async run(store, prefix) {
      const names = Array.from({ length: MANY_COUNT }, (_, index) => String(10_000 + index));
      await inTurns(names, REQUESTS_AT_ONCE, (name) => store.put(`${prefix}${name}`, utf8(name)));
      const all = await namesOf(store, prefix);
      if (all.join(" ") !== names.join(" ")) return `it has ${all.length}`;
      const few = names.slice(0, 3 * PAGE_COUNT);
      const paged: string[] = [];
      while (paged.length < few.length) {
        const after = prefix + (paged.at(-1) ?? "");
        const page = await store.list(prefix, { after, countMax: PAGE_COUNT });
        if (page.length !== PAGE_COUNT) return `a page of ${PAGE_COUNT} has ${page.length}`;
        paged.push(...page.map(({ key }) => key.slice(prefix.length)));
      }
      return paged.join(" ") === few.join(" ") ? undefined : "pages have gaps, or overlap";
    },
  },
  {
    sentence: "a deleted object is gone at once, and deleting it again does no harm",
    danger: "what was removed could come back, and nodes that remove would stop",
    async run(store, prefix) {
      const key = `${prefix}object`;
      await store.put(key, utf8("body"));
      await store.delete(key);
      if ((await store.get(key)) !== undefined) return "it was read after it was deleted";
      await store.delete(key);
      await store.putIfAbsent(key, utf8("again"));
      return (await holds(store, key, "again")) ? undefined : "its name cannot be used again";
    },
  },
  {
    sentence: "an object of 8 MiB is read back as it was",
    danger: "data files would be damaged",
    async run(store, prefix) {
      const key = `${prefix}object`;
      const body = new Uint8Array(LARGE_SIZE_BYTES);
      for (let offset = 0; offset < body.length; offset += 997) body[offset] = offset / 997;
      await store.putIfAbsent(key, body);
      const read = await store.get(key);
      if (read === undefined) return "it is not there";
      return equalBytes(read, body) ? undefined : `${read.length} other bytes were read`;
    },
  },
];

async function holds(store: ObjectStore, key: string, text: string): Promise<boolean> {
  const body = await store.get(key);
  return body !== undefined && equalBytes(body, utf8(text));
}

/** Whether the store acknowledged a put if absent. */
async function isTaken(store: ObjectStore, key: string, text: string): Promise<boolean> {
  try {
    await store.putIfAbsent(key, utf8(text));
    return true;
  } catch (error) {
    if (isKind(error, "conflict")) return false;
    throw error;
  }
}

async function namesOf(store: ObjectStore, prefix: string, after = ""): Promise<string[]> {
  const found = await store.list(prefix, { after });
  return found.map(({ key }) => key.slice(prefix.length));
}
