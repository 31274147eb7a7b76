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
  /** Done at once, but its answer is long on its way: the world moves between the two. */
  readonly lateAnswer: number;
  /** A list that knows neither the newest objects nor the newest deletions. */
  readonly staleList: number;
  readonly damagedRead: number;
}

export const NO_STORE_FAULTS: StoreFaults = {
  error: 0,
  lostAnswer: 0,
  latePut: 0,
  slow: 0,
  lateAnswer: 0,
  staleList: 0,
  damagedRead: 0,
};

/** Everything that ever came into being in the bucket, in order. */
export interface StoreWrite {
  readonly key: string;
  readonly body: Uint8Array;
  readonly atMs: number;
}

export interface StoreDeletion {
  readonly key: string;
  readonly writeCount: number;
  readonly atMs: number;
}

export interface HeldAnswer {
  readonly process: Process;
  /** As `list PREFIX`. */
  readonly what: string;
  readonly delayMs: number;
  readonly onAsked?: () => void;
}

const DELAY_MS_MAX = 12;
const SLOW_MS_MAX = 3_000;
const LATE_MS_MAX = 20_000;
const LATE_ANSWER_MS_MAX = 8_000;
const STALE_MS_MAX = 400;

/** The bucket of a world, and what happens on the way to it. */
export class SimStore {
  readonly objects = new Map<string, Uint8Array>();
  readonly history: StoreWrite[] = [];
  /** Every object that was deleted, and how much had been written by then. */
  readonly deletions: StoreDeletion[] = [];
  faults: StoreFaults;
  readonly #world: World;
  /** When each object that is or was there came into being. */
  readonly #bornMs = new Map<string, number>();
  readonly #held = new Map<Process, { readonly prefix: string; readonly delayMs: number }>();
  readonly #heldAnswers: HeldAnswer[] = [];
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
          if (!this.objects.delete(key)) return;
          const [writeCount, atMs] = [this.history.length, this.#world.nowMs];
          this.deletions.push({ key, writeCount, atMs });
        }),
    };
  }

  /** The next new object of `process` under `prefix` reaches the store `delayMs` after it was sent. */
  holdNextPut(process: Process, prefix: string, delayMs: number): void {
    this.#held.set(process, { prefix, delayMs });
  }

  /** The next request that begins as it says, is done, and its answer comes some time after that. */
  holdNextAnswer(held: HeldAnswer): void {
    this.#heldAnswers.push(held);
  }

  #put(process: Process, key: string, body: Uint8Array, absent: boolean): Promise<void> {
    const land = () => {
      if (absent && this.objects.has(key))
        throw new DbError("conflict", "object_exists", `${key} exists`);
      this.#world.note(`put ${key}`);
      if (!this.objects.has(key)) this.#bornMs.set(key, this.#world.nowMs);
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
    const lateMs = this.#takeHeldMs(process, what) ?? this.#chooseLateMs(what);
    const answered = process.call(1 + world.below(slow ? SLOW_MS_MAX : DELAY_MS_MAX), () => {
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
    if (lateMs === 0) return answered;
    world.count("store_late_answer");
    return answered.then((answer) => process.call(lateMs, () => answer));
  }

  #takeHeldMs(process: Process, what: string): number | undefined {
    const index = this.#heldAnswers.findIndex(
      (held) => held.process === process && what.startsWith(held.what),
    );
    const [held] = index < 0 ? [] : this.#heldAnswers.splice(index, 1);
    held?.onAsked?.();
    return held?.delayMs;
  }

  /** An answer to a read that is late is that of a slow one. */
  #chooseLateMs(what: string): number {
    if (what.startsWith("get ") || !this.#world.chance(this.faults.lateAnswer)) return 0;
    return this.#world.below(LATE_ANSWER_MS_MAX);
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
    const keys = this.#listed().filter((key) => key.startsWith(prefix) && key > after);
    return keys
      .toSorted()
      .slice(0, countMax)
      .map((key) => ({ key, sizeBytes: this.objects.get(key)?.length ?? 0 }));
  }

  /** The keys that a list knows of. */
  #listed(): readonly string[] {
    const keys = [...this.objects.keys()];
    if (!this.#world.chance(this.faults.staleList)) return keys;
    const asOfMs = this.#world.nowMs - this.#world.below(STALE_MS_MAX);
    const known = keys.filter((key) => (this.#bornMs.get(key) ?? 0) <= asOfMs);
    const gone = this.deletions.filter(({ atMs }) => atMs > asOfMs).map(({ key }) => key);
    if (known.length < keys.length || gone.length > 0) this.#world.count("store_stale_list");
    return [...new Set([...known, ...gone])];
  }
}

function unreachable(what: string): DbError {
  return new DbError("unavailable", "store_unreachable", `simulated fault in ${what}`);
}
