import { DbError } from "#base/errors.ts";
import { nodeLogMachine } from "#nodelog/node-log-state.ts";
import { LogTracker } from "#objectlog/log-tracker.ts";
import { ObjectLog, type ObjectLogPorts } from "#objectlog/object-log.ts";
import { silentLog } from "#ports/log.ts";
import type { ObjectStore } from "#ports/object-store.ts";
import { seededRandom } from "#ports/random.ts";
import { Process } from "../process.ts";
import { NO_STORE_FAULTS, SimStore } from "../sim-store.ts";
import { World } from "../world.ts";

type Method = "putIfAbsent" | "get" | "list";

/** A call that waits at the store until it is let go. */
export interface Hold {
  /** Resolves when the call has come. */
  readonly reached: Promise<void>;
  go(): void;
}

/** How one put-if-absent ends without an answer. A late one lands after the next read of its key, or before the next put. */
export type Loss = "not_done" | "answer_lost" | "lands_late";

interface Wait {
  readonly method: Method;
  readonly keyEnd: string;
  readonly when: "before" | "after";
  readonly reached: PromiseWithResolvers<void>;
  readonly gate: PromiseWithResolvers<void>;
}

/** A world in which a schedule is played step by step, and what was wrong in it. */
export class Stage {
  readonly world: World;
  readonly store: SimStore;
  readonly violations: string[] = [];
  #actorCount = 0;

  constructor(seed: number) {
    this.world = new World(seed);
    this.store = new SimStore(this.world, NO_STORE_FAULTS);
  }

  actor(): Actor {
    this.#actorCount += 1;
    return new Actor(this, this.#actorCount);
  }

  /** Notes `what` as wrong unless `holds`. */
  expect(holds: boolean, what: string): void {
    if (!holds) this.violations.push(what);
  }

  /** Notes as wrong when `work` does anything but reject with `code`. */
  async expectRejection(work: Promise<unknown>, code: string, what: string): Promise<void> {
    const outcome = await work.then(
      () => "it succeeded",
      (error: unknown) => (error instanceof DbError ? error.code : String(error)),
    );
    this.expect(outcome === code, `${what}: ${outcome}`);
  }

  /** The keys that begin with `prefix` now, in order. */
  keys(prefix: string): readonly string[] {
    return [...this.store.objects.keys()].filter((key) => key.startsWith(prefix)).toSorted();
  }

  /** The numbers of the objects that are under `prefix` now. */
  numbers(prefix: string): readonly number[] {
    return this.keys(prefix).map((key) => Number(key.slice(-20)));
  }

  /** What a process that has never read the log of node 1 reads of it, to its tail. */
  async readAnew() {
    const reader = this.actor().reader();
    await reader.advance({ certain: true });
    return reader.state;
  }
}

/** One process on the stage. Its calls can be held and lose their answers, one at a time. */
export class Actor {
  readonly process: Process;
  readonly ports: ObjectLogPorts;
  #waits: Wait[] = [];
  #loss: { readonly keyEnd: string; readonly how: Loss } | undefined;
  #late: { readonly key: string; readonly land: () => Promise<void> } | undefined;

  constructor({ world, store }: Stage, number: number) {
    this.process = new Process(world, 0);
    const inner = store.of(this.process);
    const own: ObjectStore = {
      ...inner,
      putIfAbsent: (key, body) => this.#call("putIfAbsent", key, () => this.#put(inner, key, body)),
      get: (key) => this.#call("get", key, () => this.#get(inner, key)),
      list: (prefix, options) => this.#call("list", prefix, () => inner.list(prefix, options)),
    };
    const random = seededRandom(number);
    this.ports = { store: own, clock: this.process.clock, random, log: silentLog };
  }

  /** Holds the next call of `method` on a key that ends with `keyEnd`, before the store does it, or after, before its answer is heard. */
  hold(method: Method, keyEnd: string, when: "before" | "after" = "before"): Hold {
    const reached = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    this.#waits.push({ method, keyEnd, when, reached, gate });
    return { reached: reached.promise, go: () => gate.resolve() };
  }

  /** The next put of a key that ends with `keyEnd` gets no answer. */
  lose(keyEnd: string, how: Loss): void {
    this.#loss = { keyEnd, how };
  }

  /** Reads the log of node 1 along. */
  reader() {
    return new LogTracker(new ObjectLog("node1/log/", this.ports), nodeLogMachine);
  }

  async #call<T>(method: Method, key: string, run: () => Promise<T>): Promise<T> {
    await this.#pass(method, key, "before");
    try {
      return await run();
    } finally {
      await this.#pass(method, key, "after");
    }
  }

  async #pass(method: Method, key: string, when: Wait["when"]): Promise<void> {
    const wait = this.#waits.find(
      (one) => one.method === method && one.when === when && key.endsWith(one.keyEnd),
    );
    if (wait === undefined) return;
    this.#waits = this.#waits.filter((one) => one !== wait);
    wait.reached.resolve();
    await wait.gate.promise;
  }

  async #put(inner: ObjectStore, key: string, body: Uint8Array): Promise<void> {
    await this.#landLate(key);
    const loss = this.#loss;
    if (loss === undefined || !key.endsWith(loss.keyEnd)) return inner.putIfAbsent(key, body);
    this.#loss = undefined;
    if (loss.how === "answer_lost") await inner.putIfAbsent(key, body);
    if (loss.how === "lands_late") this.#late = { key, land: () => inner.putIfAbsent(key, body) };
    throw new DbError("unavailable", "store_unreachable", "no answer came");
  }

  async #get(inner: ObjectStore, key: string): Promise<Uint8Array | undefined> {
    const found = await inner.get(key);
    await this.#landLate(key);
    return found;
  }

  async #landLate(key: string): Promise<void> {
    if (this.#late?.key !== key) return;
    const { land } = this.#late;
    this.#late = undefined;
    await land();
  }
}

/** The end of the key of entry or checkpoint `position`. */
export function numbered(position: number): string {
  return `/${String(position).padStart(20, "0")}`;
}
