/** Appends and drops in the order they came, on their way to a child. */
import { Signal } from "#base/async.ts";
import { assert } from "#base/errors.ts";
import type { BufferedBlock } from "#ports/engine.ts";
import type { Change, ChildLink } from "./child-link.ts";

/** Blocks travel together up to these bounds. */
const MESSAGE_SIZE_MAX = 8 * 2 ** 20;
const MESSAGE_BLOCK_COUNT_MAX = 1_000;

interface Entry {
  readonly change: Change;
  readonly atMs: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * What callers wait for while one message is on its way; those that came meanwhile share the next. A child that dies takes
 * nothing along: its successor is filled, and then gets what was not answered once more, which the positions make harmless.
 * Its length is bounded by its callers, who wait for each append.
 */
export class ChangeQueue {
  readonly #entries: Entry[] = [];
  readonly #added = new Signal();

  /** Resolves or rejects as the child answers `change`, which came at `atMs`. */
  add(change: Change, atMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#entries.push({ change, atMs, resolve, reject });
      this.#added.notify();
    });
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
      const group = takeGroup(this.#entries);
      this.#entries.unshift(...(await sendGroup(link, group)));
    }
  }

  /** Rejects what came before `atMs`. */
  rejectOlder(atMs: number, error: unknown): void {
    while ((this.#entries[0]?.atMs ?? atMs) < atMs) this.#entries.shift()?.reject(error);
  }

  rejectAll(error: unknown): void {
    for (const { reject } of this.#entries.splice(0)) reject(error);
  }

  /** Appends all of `blocks` to a fresh child. */
  static async fill(link: ChildLink, blocks: Iterable<BufferedBlock>): Promise<void> {
    let waiting: BufferedBlock[] = [];
    let sizeBytes = 0;
    for (const block of blocks) {
      waiting.push(block);
      sizeBytes += block.bytes.length;
      if (sizeBytes < MESSAGE_SIZE_MAX && waiting.length < MESSAGE_BLOCK_COUNT_MAX) continue;
      await link.change({ kind: "append", blocks: waiting });
      waiting = [];
      sizeBytes = 0;
    }
    if (waiting.length > 0) await link.change({ kind: "append", blocks: waiting });
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
async function sendGroup(link: ChildLink, group: readonly Entry[]): Promise<readonly Entry[]> {
  try {
    await link.change(merge(group));
    for (const { resolve } of group) resolve();
    return [];
  } catch (error) {
    if (link.dead) return group;
    if (group.length === 1) {
      group[0]?.reject(error);
      return [];
    }
    // One bad block must not fail the others.
    const left: Entry[] = [];
    for (const entry of group) left.push(...(await sendGroup(link, [entry])));
    return left;
  }
}

function merge(group: readonly Entry[]): Change {
  const changes = group.map(({ change }) => change);
  const [first] = changes;
  assert(first !== undefined, "a group has an entry");
  if (first.kind === "drop") return first;
  const blocks = changes.flatMap((change) => (change.kind === "append" ? change.blocks : []));
  return { kind: "append", blocks };
}
