import { DbError } from "#base/errors.ts";
import type { ObjectMeta, ObjectStore } from "#ports/object-store.ts";
import type { Process } from "./process.ts";
import type { World } from "./world.ts";

/** Chance of each fault for one operation. */
export interface StoreFaults {
  readonly error: number;
  readonly lostAnswer: number;
  /** A put whose answer is a time-out, and that lands later. */
  readonly latePut: number;
  readonly slow: number;
  readonly damagedRead: number;
}

export const NO_STORE_FAULTS: StoreFaults = {
  error: 0,
  lostAnswer: 0,
  latePut: 0,
  slow: 0,
  damagedRead: 0,
};

/** Everything that ever came into being in the bucket, in order. */
export interface StoreWrite {
  readonly key: string;
  readonly body: Uint8Array;
  readonly atMs: number;
}

const DELAY_MS_MAX = 12;
const SLOW_MS_MAX = 3_000;
const LATE_MS_MAX = 20_000;

/** The bucket of a world, and what happens on the way to it. */
export class SimStore {
  readonly objects = new Map<string, Uint8Array>();
  readonly history: StoreWrite[] = [];
  /** Every object that was deleted, and how much had been written by then. */
  readonly deletions: { readonly key: string; readonly writeCount: number }[] = [];
  faults: StoreFaults;
  readonly #world: World;
  readonly #held = new Map<Process, { readonly prefix: string; readonly delayMs: number }>();
  #lastAsked = 0;

  constructor(world: World, faults: StoreFaults) {
    this.#world = world;
    this.faults = faults;
  }

  /** The store as `process` has it. */
  of(process: Process): ObjectStore {
    return {
      putIfAbsent: (key, body) => this.#put(process, key, body.slice(), true),
      put: (key, body) => this.#put(process, key, body.slice(), false),
      get: (key) => this.#ask(process, `get ${key}`, () => this.#read(key)),
      list: (prefix, options) =>
        this.#ask(process, `list ${prefix}`, () => this.#list(prefix, options)),
      delete: (key) =>
        this.#ask(process, `delete ${key}`, () => {
          if (this.objects.delete(key))
            this.deletions.push({ key, writeCount: this.history.length });
        }),
    };
  }

  /** The next new object of `process` under `prefix` reaches the store `delayMs` after it was sent. */
  holdNextPut(process: Process, prefix: string, delayMs: number): void {
    this.#held.set(process, { prefix, delayMs });
  }

  #put(process: Process, key: string, body: Uint8Array, absent: boolean): Promise<void> {
    const land = () => {
      if (absent && this.objects.has(key))
        throw new DbError("conflict", "object_exists", `${key} exists`);
      this.#world.note(`put ${key}`);
      this.objects.set(key, body);
      this.history.push({ key, body, atMs: this.#world.nowMs });
    };
    const held = this.#held.get(process);
    if (absent && held !== undefined && key.startsWith(held.prefix)) {
      this.#held.delete(process);
      return process.call(held.delayMs, land);
    }
    if (absent && this.#world.chance(this.faults.latePut)) {
      this.#world.count("store_late_put");
      this.#world.schedule(this.#world.below(LATE_MS_MAX), () => {
        try {
          land();
        } catch {
          // Somebody else was there first; nobody hears of it.
        }
      });
      return process.call(this.#world.below(SLOW_MS_MAX), () => {
        throw unreachable(`put ${key}`);
      });
    }
    return this.#ask(process, `put ${key}`, land);
  }

  #ask<T>(process: Process, what: string, effect: () => T): Promise<T> {
    const world = this.#world;
    const slow = world.chance(this.faults.slow);
    if (slow) world.count("store_slow");
    const asked = ++this.#lastAsked;
    return process.call(1 + world.below(slow ? SLOW_MS_MAX : DELAY_MS_MAX), () => {
      if (asked < this.#lastAnswered) world.count("store_reordered");
      this.#lastAnswered = Math.max(asked, this.#lastAnswered);
      if (world.chance(this.faults.error)) {
        world.count("store_error");
        throw unreachable(what);
      }
      const answer = effect();
      if (!world.chance(this.faults.lostAnswer)) return answer;
      world.count("store_lost_answer");
      throw unreachable(what);
    });
  }

  #lastAnswered = 0;

  #read(key: string): Uint8Array | undefined {
    const body = this.objects.get(key)?.slice();
    if (body === undefined || body.length === 0) return body;
    if (!this.#world.chance(this.faults.damagedRead)) return body;
    this.#world.count("damaged_read");
    const at = this.#world.below(body.length);
    if (this.#world.chance(0.5)) return body.subarray(0, at);
    body[at] = (body[at] as number) ^ (1 << this.#world.below(8));
    return body;
  }

  #list(
    prefix: string,
    options: { after?: string; countMax?: number } = {},
  ): readonly ObjectMeta[] {
    const { after = "", countMax = Number.POSITIVE_INFINITY } = options;
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix) && key > after);
    return keys
      .toSorted()
      .slice(0, countMax)
      .map((key) => ({ key, sizeBytes: this.objects.get(key)?.length ?? 0 }));
  }
}

function unreachable(what: string): DbError {
  return new DbError("unavailable", "store_unreachable", `simulated fault in ${what}`);
}
