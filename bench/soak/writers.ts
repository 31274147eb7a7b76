import { setTimeout as sleep } from "node:timers/promises";
import { Connection } from "../client.ts";
import { BODY_COUNT_MAX, BODY_ROW_COUNT, Body } from "./body.ts";

/** What came of one try to write a body. */
export interface Attempt {
  readonly endedMs: number;
  readonly tookMs: number;
  /** Written, told to come later, or anything else. */
  readonly outcome: "written" | "refused" | "failed";
}

export interface Pace {
  /** Tries per second of all writers together; undefined: each as soon as the last one was answered. */
  readonly bodiesPerSec: number | undefined;
  readonly connectionCount: number;
  readonly seconds: number;
  /** How long a writer waits after it was told to come later. */
  readonly refusedPauseMs: number;
}

interface Lane {
  readonly connection: Connection;
  readonly body: Body;
  /** The body it has yet to bring in: what was refused is sent again as it was, by the same lane. */
  pending: number | undefined;
}

const PATH = "/api/v3/write_lp?db=soak&precision=nanosecond";
const REFUSALS = [429, 503];
/** Bodies with values of their own; more lanes share them. */
const TEMPLATE_COUNT = 8;
const KEPT_FAILURES_MAX = 10;
const FAILED_PAUSE_MS = 200;
const RETRY_MS = 100;

/** Writes bodies numbered without a gap, each again and again until it is acknowledged. */
export class Writers implements Disposable {
  readonly #port: number;
  readonly #lanes: Lane[] = [];
  readonly #templates: readonly Body[];
  readonly #done = new Set<number>();
  /** Everything up to here, without it, is acknowledged. */
  #tail = 0;
  #next = 0;
  /** The first few, for whoever looks for the reason. */
  readonly failures: string[] = [];

  constructor(port: number) {
    this.#port = port;
    this.#templates = Array.from({ length: TEMPLATE_COUNT }, () => Body.make());
  }

  /** Bodies 0 to here, without it, are acknowledged. */
  get tail(): number {
    return this.#tail;
  }

  /** Bodies that are acknowledged. */
  get doneCount(): number {
    return this.#tail + this.#done.size;
  }

  /** Writes at a pace; `onAttempt` hears of each try. Resolves when the time is over and the last answers have come. */
  async run(pace: Pace, onAttempt: (attempt: Attempt) => void): Promise<void> {
    this.#grow(pace.connectionCount);
    const startedMs = performance.now();
    const endMs = startedMs + pace.seconds * 1_000;
    const stepMs = pace.bodiesPerSec === undefined ? 0 : 1_000 / pace.bodiesPerSec;
    let count = 0;
    const write = async (lane: Lane) => {
      while (true) {
        const dueMs = startedMs + count++ * stepMs;
        if (Math.max(dueMs, performance.now()) >= endMs) return;
        if (dueMs > performance.now()) await sleep(dueMs - performance.now());
        const { outcome } = await this.#tell(lane, onAttempt);
        if (outcome === "refused" && pace.refusedPauseMs > 0) await sleep(pace.refusedPauseMs);
        if (outcome === "failed") await sleep(FAILED_PAUSE_MS);
      }
    };
    await Promise.all(this.#lanes.slice(0, pace.connectionCount).map(write));
  }

  /**
   * Brings in what was refused to the lanes from `first` on, which no run may use meanwhile. Resolves with how long it took; rejects
   * when something is not acknowledged after `waitMsMax`.
   */
  async finish(first: number, waitMsMax: number): Promise<number> {
    const startedMs = performance.now();
    const bring = async (lane: Lane) => {
      while (lane.pending !== undefined) {
        if (performance.now() - startedMs > waitMsMax)
          throw new Error(`body ${lane.pending} is not acknowledged after ${waitMsMax} ms`);
        const { outcome } = await this.#try(lane);
        if (outcome !== "written") await sleep(RETRY_MS * (1 + Math.random()));
      }
    };
    await Promise.all(this.#lanes.slice(first).map(bring));
    return performance.now() - startedMs;
  }

  [Symbol.dispose](): void {
    for (const { connection } of this.#lanes) connection[Symbol.dispose]();
  }

  #grow(count: number): void {
    while (this.#lanes.length < count) {
      const template = this.#templates[this.#lanes.length % TEMPLATE_COUNT] ?? Body.make();
      const connection = new Connection(this.#port);
      this.#lanes.push({ connection, body: template.copy(), pending: undefined });
    }
  }

  async #tell(lane: Lane, onAttempt: (attempt: Attempt) => void): Promise<Attempt> {
    const attempt = await this.#try(lane);
    onAttempt(attempt);
    return attempt;
  }

  async #try(lane: Lane): Promise<Attempt> {
    if (lane.pending === undefined) {
      if (this.#next >= BODY_COUNT_MAX) throw new Error("there are no more bodies");
      lane.pending = this.#next++;
      lane.body.become(lane.pending);
    }
    const startedMs = performance.now();
    const outcome = await this.#send(lane);
    const endedMs = performance.now();
    if (outcome === "written") {
      this.#acknowledge(lane.pending);
      lane.pending = undefined;
    }
    return { endedMs, tookMs: endedMs - startedMs, outcome };
  }

  async #send({ body, connection }: Lane): Promise<Attempt["outcome"]> {
    let story: string;
    try {
      const request = { method: "POST", path: PATH, body: body.bytes } as const;
      const { status, text } = await connection.ask(request);
      if (status === 204) return "written";
      if (REFUSALS.includes(status)) return "refused";
      story = `${status} ${text.slice(0, 300)}`;
    } catch (error) {
      story = String(error);
    }
    if (this.failures.length < KEPT_FAILURES_MAX) this.failures.push(story);
    return "failed";
  }

  #acknowledge(number: number): void {
    this.#done.add(number);
    while (this.#done.delete(this.#tail)) this.#tail += 1;
  }
}

/** Rows per second that attempts of so many seconds brought in. */
export function rowsPerSec(attempts: readonly Attempt[], seconds: number): number {
  return (attempts.filter(isWritten).length * BODY_ROW_COUNT) / seconds;
}

export function isWritten({ outcome }: Attempt): boolean {
  return outcome === "written";
}
