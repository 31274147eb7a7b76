/** Those who wait for something that a group does: each for a bounded time, and all of them bounded in number. */
import { DbError } from "#base/errors.ts";

interface Waiter<T> {
  readonly deadlineMs: number;
  readonly done: PromiseWithResolvers<T>;
}

export class Waiting<Key, T> {
  readonly #countMax: number;
  readonly #limitMs: number;
  /** In the order they came, and so of their deadlines. */
  readonly #waiters = new Map<Key, Waiter<T>>();

  constructor(countMax: number, limitMs: number) {
    this.#countMax = countMax;
    this.#limitMs = limitMs;
  }

  /** Whether somebody waits for `key`. */
  has(key: Key): boolean {
    return this.#waiters.has(key);
  }

  /** Settles with `resolve`, `reject`, or when its time is up; throws `unavailable` / `raft_busy` where too many wait. */
  wait(key: Key, nowMs: number): Promise<T> {
    if (this.#waiters.size >= this.#countMax) throw busyError(`${this.#countMax} wait already`);
    const done = Promise.withResolvers<T>();
    this.#waiters.set(key, { done, deadlineMs: nowMs + this.#limitMs });
    return done.promise;
  }

  /** Does nothing where nobody waits for it. */
  resolve(key: Key, value: T): void {
    this.#take(key)?.done.resolve(value);
  }

  reject(key: Key, error: Error): void {
    this.#take(key)?.done.reject(error);
  }

  /** Rejects those whose time is up. */
  expire(nowMs: number, error: Error): void {
    for (const [key, waiter] of this.#waiters) {
      if (waiter.deadlineMs > nowMs) return;
      this.#waiters.delete(key);
      waiter.done.reject(error);
    }
  }

  rejectAll(error: Error): void {
    for (const { done } of this.#waiters.values()) done.reject(error);
    this.#waiters.clear();
  }

  #take(key: Key): Waiter<T> | undefined {
    const waiter = this.#waiters.get(key);
    this.#waiters.delete(key);
    return waiter;
  }
}

export function busyError(why: string): DbError {
  return new DbError(
    "unavailable",
    "raft_busy",
    `This member of the raft group takes nothing more now: ${why}. Try again after a pause.`,
  );
}
