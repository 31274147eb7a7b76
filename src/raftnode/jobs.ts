/** What may be waited for: `done` is told how it ended, by whoever does the work, or that it is not done any more. */
export interface Awaitable {
  readonly done?: PromiseWithResolvers<void> | undefined;
}

export interface JobsOptions<Job> {
  /** How many of the first of `queue`, which has some, are done together. */
  readonly countOf: (queue: readonly Job[]) => number;
  readonly work: (batch: readonly Job[]) => Promise<void>;
  /** Nothing waits any more. */
  readonly idle?: () => void;
  /** `work` rejected: nothing more is done. */
  readonly failed: (error: unknown) => void;
}

/** Jobs that are done one batch after the other, in the order they come. */
export class Jobs<Job extends Awaitable> {
  readonly #options: JobsOptions<Job>;
  #queue: Job[] = [];
  #working: Promise<void> | undefined;
  #stopped = false;

  constructor(options: JobsOptions<Job>) {
    this.#options = options;
  }

  get busy(): boolean {
    return this.#working !== undefined;
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  add(job: Job): void {
    if (this.#stopped) {
      job.done?.reject(stoppedError());
      return;
    }
    this.#queue.push(job);
    this.#working ??= this.#work();
  }

  /** Takes nothing more, and resolves when what was begun has ended. */
  async stop(): Promise<void> {
    this.#end();
    await this.#working;
  }

  #end(): void {
    this.#stopped = true;
    for (const { done } of this.#queue) done?.reject(stoppedError());
    this.#queue = [];
  }

  async #work(): Promise<void> {
    const { countOf, failed, idle, work } = this.#options;
    // What comes in one turn may be one batch.
    await Promise.resolve();
    try {
      while (this.#queue.length > 0) await work(this.#queue.splice(0, countOf(this.#queue)));
    } catch (error) {
      this.#end();
      failed(error);
    } finally {
      this.#working = undefined;
    }
    if (!this.#stopped) idle?.();
  }
}

/** Said to those who stop as well, and to nobody else. */
function stoppedError(): Error {
  return new Error("the member stops");
}
