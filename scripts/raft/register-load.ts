import { setTimeout as sleep } from "node:timers/promises";
import { below, type Random } from "#ports/random.ts";
import type { Operation } from "#testing/raft/linearizable.ts";
import { AskError } from "./register-client.ts";
import type { RegisterGroup } from "./register-group.ts";

const PAUSE_MS = 10;
/** So long an ask may take before its client gives it up and goes on. */
const ASK_MS_MAX = 3_000;

export interface LoadOptions {
  readonly group: RegisterGroup;
  readonly random: Random;
  readonly clientCount: number;
  readonly keyCount: number;
  /** Between one answer and the next ask. */
  readonly thinkMs: number;
}

/** Clients that write, swap and read registers, and note what they saw. */
export class RegisterLoad {
  readonly #options: LoadOptions;
  readonly #history: Operation[] = [];
  readonly #clients: Promise<void>[];
  /** Ask here first; it may not be the leader any more. */
  #leader = 1;
  #stopped = false;
  #valueCount = 0;
  /** Who waits for a write that is called from now on to be answered. */
  #writeWaiters: { readonly sinceMs: number; readonly done: (answeredMs: number) => void }[] = [];

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#clients = Array.from({ length: options.clientCount }, () => this.#run());
  }

  get operationCount(): number {
    return this.#history.length;
  }

  /** Resolves with the time from now until a write that was called after now is answered. */
  writeAnswered(): Promise<number> {
    const sinceMs = performance.now();
    return new Promise((resolve) => {
      this.#writeWaiters.push({ sinceMs, done: (answeredMs) => resolve(answeredMs - sinceMs) });
    });
  }

  /** What all clients saw. */
  async stop(): Promise<readonly Operation[]> {
    this.#stopped = true;
    await Promise.all(this.#clients);
    return this.#history;
  }

  async #run(): Promise<void> {
    const { keyCount, random, thinkMs } = this.#options;
    let seen = "";
    while (!this.#stopped) {
      const key = `k${below(random, keyCount)}`;
      const draw = below(random, 10);
      const value = `v${++this.#valueCount}`;
      if (draw < 4) seen = (await this.#read(key)) ?? seen;
      else if (draw < 8) await this.#operate(key, { kind: "write", value });
      else await this.#operate(key, { kind: "swap", expected: seen, value });
      if (thinkMs > 0) await sleep(thinkMs);
    }
  }

  async #read(key: string): Promise<string | undefined> {
    const value = await this.#operate(key, { kind: "read" });
    return typeof value === "string" ? value : undefined;
  }

  /** Has it done, wherever the leader is; undefined where that was given up. */
  async #operate(key: string, action: Operation["action"]): Promise<unknown> {
    const calledMs = performance.now();
    while (performance.now() - calledMs < ASK_MS_MAX && !this.#stopped) {
      // Reads are asked of any node: each must know what the leader knows.
      const { nodes } = this.#options.group;
      const anywhere = nodes[below(this.#options.random, nodes.length)]?.id ?? 1;
      const at = action.kind === "read" ? anywhere : this.#leader;
      try {
        const answer = await inTime(this.#options.group.node(at).client.ask({ ...action, key }));
        const answeredMs = performance.now();
        this.#history.push({
          key,
          action,
          calledMs,
          answeredMs,
          answer: answer as string | boolean,
        });
        if (action.kind === "write") this.#noteWrite(calledMs, answeredMs);
        return answer;
      } catch (error) {
        if (!(error instanceof AskError)) throw error;
        this.#lookElsewhere(at, error);
        // A read does nothing, so it can be asked again.
        if (!error.refused && action.kind !== "read") break;
        await sleep(PAUSE_MS);
      }
    }
    this.#history.push({ key, action, calledMs, answeredMs: undefined, answer: undefined });
    return undefined;
  }

  #lookElsewhere(asked: number, { leader }: AskError): void {
    const { nodes } = this.#options.group;
    if (asked !== this.#leader) return;
    this.#leader = leader > 0 && leader !== asked ? leader : (asked % nodes.length) + 1;
  }

  #noteWrite(calledMs: number, answeredMs: number): void {
    const heard = this.#writeWaiters.filter(({ sinceMs }) => sinceMs <= calledMs);
    this.#writeWaiters = this.#writeWaiters.filter(({ sinceMs }) => sinceMs > calledMs);
    for (const { done } of heard) done(answeredMs);
  }
}

async function inTime(work: Promise<unknown>): Promise<unknown> {
  const late = new AbortController();
  const given = sleep(ASK_MS_MAX, undefined, { signal: late.signal }).then(
    () => Promise.reject(new AskError("no_answer", 0)),
    () => undefined,
  );
  try {
    return await Promise.race([work, given]);
  } finally {
    late.abort();
  }
}
