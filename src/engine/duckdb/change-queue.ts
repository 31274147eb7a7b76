/** Appends and drops in the order they came, on their way to a child. */
import { Signal } from "#base/async.ts";
import { assert } from "#base/errors.ts";
import type { Clock } from "#ports/clock.ts";
import type { BufferedBlock } from "#ports/engine.ts";
import type { Change, ChildLink } from "./child-link.ts";

/** Blocks travel together up to these bounds. */
const MESSAGE_SIZE_MAX = 8 * 2 ** 20;
const MESSAGE_BLOCK_COUNT_MAX = 1_000;

/** Appends that nobody waits for are sent together: all of this time, or so many bytes. */
const LINGER_MS = 50;
const LINGER_SIZE_MAX = 2 ** 20;

interface Entry {
  readonly change: Change;
  readonly atMs: number;
  readonly done: PromiseWithResolvers<void>;
}

/**
 * Changes on their way to a child, in the order they came; one message is on its way at a time. A child that dies takes
 * nothing along: its successor is filled, and then gets what was not answered once more, which the positions make harmless.
 * Blocks in it are those that the buffer keeps.
 */
export class ChangeQueue {
  readonly #clock: Clock;
  readonly #entries: Entry[] = [];
  readonly #added = new Signal();
  /** The last entry that was taken to be sent, and is not answered. */
  #sent: Entry | undefined;
  /** The last entry that somebody waits for: there is no pause before it is sent. */
  #wanted: Entry | undefined;
  /** Ends the pause before the next message. */
  #hurry = new AbortController();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The child gets `change` before long, and before `settled` resolves. */
  add(change: Change): void {
    const done = Promise.withResolvers<void>();
    // Who reads is told where the child does not get it.
    done.promise.catch(() => undefined);
    this.#entries.push({ change, atMs: this.#clock.monotonicMs(), done });
    this.#added.notify();
    if (this.waitingSizeBytes >= LINGER_SIZE_MAX) this.#hurry.abort();
  }

  /** Bytes of blocks that are not on their way yet. */
  get waitingSizeBytes(): number {
    return sizeOf(this.#entries);
  }

  /** Resolves when the child has made all that was added before; rejects when no child could be started for too long. */
  async settled(): Promise<void> {
    const last = this.#entries.at(-1) ?? this.#sent;
    if (last === undefined) return;
    this.#wanted = last;
    this.#hurry.abort();
    await last.done.promise;
  }

  /** Sends what is here and what comes until `link` is dead or `signal` aborted. */
  async serve(link: ChildLink, signal: AbortSignal): Promise<void> {
    const stop = new AbortController();
    const ended = AbortSignal.any([signal, stop.signal]);
    void link.exited.then(() => stop.abort());
    while (!ended.aborted && !link.dead) {
      if (this.#entries.length === 0) {
        await this.#added.wait(ended).catch(() => undefined);
        continue;
      }
      await this.#linger(ended);
      if (ended.aborted) return;
      const group = takeGroup(this.#entries);
      this.#sent = group.at(-1);
      this.#entries.unshift(...(await sendGroup(link, group, ended)));
      this.#sent = undefined;
    }
  }

  async #linger(ended: AbortSignal): Promise<void> {
    const { signal: hurry } = this.#hurry;
    const wanted = this.#wanted !== undefined && this.#entries.includes(this.#wanted);
    if (!wanted)
      await this.#clock.sleep(LINGER_MS, AbortSignal.any([ended, hurry])).catch(() => undefined);
    this.#hurry = new AbortController();
  }

  /** Rejects what came before `atMs`. */
  rejectOlder(atMs: number, error: unknown): void {
    while ((this.#entries[0]?.atMs ?? atMs) < atMs) this.#entries.shift()?.done.reject(error);
  }

  rejectAll(error: unknown): void {
    for (const { done } of this.#entries.splice(0)) done.reject(error);
  }

  /** Appends all of `blocks` to a fresh child; ends it when `signal` is aborted meanwhile. */
  static async fill(
    link: ChildLink,
    blocks: Iterable<BufferedBlock>,
    signal: AbortSignal,
  ): Promise<void> {
    let waiting: BufferedBlock[] = [];
    let sizeBytes = 0;
    for (const block of blocks) {
      waiting.push(block);
      sizeBytes += block.bytes.length;
      if (sizeBytes < MESSAGE_SIZE_MAX && waiting.length < MESSAGE_BLOCK_COUNT_MAX) continue;
      await link.change({ kind: "append", blocks: waiting }, signal);
      waiting = [];
      sizeBytes = 0;
    }
    if (waiting.length > 0) await link.change({ kind: "append", blocks: waiting }, signal);
  }
}

/** The first change, with the appends behind it when it is one. */
function takeGroup(entries: Entry[]): Entry[] {
  let count = 0;
  let blockCount = 0;
  let sizeBytes = 0;
  for (const { change } of entries) {
    if (change.kind === "drop") {
      count = Math.max(count, 1);
      break;
    }
    blockCount += change.blocks.length;
    for (const { bytes } of change.blocks) sizeBytes += bytes.length;
    const full = blockCount > MESSAGE_BLOCK_COUNT_MAX || sizeBytes > MESSAGE_SIZE_MAX;
    if (full && count > 0) break;
    count += 1;
  }
  return entries.splice(0, count);
}

/** Settles the callers of `group`; answers those that the child, being dead, cannot answer. */
async function sendGroup(
  link: ChildLink,
  group: readonly Entry[],
  signal: AbortSignal,
): Promise<readonly Entry[]> {
  try {
    await link.change(merge(group), signal);
  } catch (error) {
    // A child that cannot take blocks, which were whole when they came, must not answer as if they were not there; one that cannot
    // forget a generation keeps its rows. The next one is filled with what there is.
    if (!link.dead) link.kill(error);
    return group;
  }
  for (const { done } of group) done.resolve();
  return [];
}

function sizeOf(entries: readonly Entry[]): number {
  let sizeBytes = 0;
  for (const { change } of entries)
    if (change.kind === "append") for (const { bytes } of change.blocks) sizeBytes += bytes.length;
  return sizeBytes;
}

function merge(group: readonly Entry[]): Change {
  const changes = group.map(({ change }) => change);
  const [first] = changes;
  assert(first !== undefined, "a group has an entry");
  if (first.kind === "drop") return first;
  const blocks = changes.flatMap((change) => (change.kind === "append" ? change.blocks : []));
  return { kind: "append", blocks };
}
