import { DbError, describeError } from "#base/errors.ts";
import type { Clock } from "#ports/clock.ts";
import type { Log } from "#ports/log.ts";

const ANSWER_MS_MAX = 2_000;

/** The loops of a node, and the one handler that they all end in. */
export class Tasks {
  readonly #log: Log;
  readonly #stop = new AbortController();
  readonly #running = new Set<Promise<void>>();
  readonly #failure = Promise.withResolvers<DbError>();
  #failed: DbError | undefined;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Aborted when the node stops. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Resolves with what the node cannot go on after; never when it stops cleanly. */
  get failure(): Promise<DbError> {
    return this.#failure.promise;
  }

  /** What the node cannot go on after; undefined while it can. */
  get failed(): DbError | undefined {
    return this.#failed;
  }

  /** Runs `work` until it ends; that it rejects before the node stops is the node's failure. */
  add(name: string, work: (signal: AbortSignal) => Promise<void>): void {
    const running = work(this.signal).catch((error: unknown) => {
      if (this.signal.aborted || this.#failed !== undefined) return;
      const failure =
        error instanceof DbError
          ? error
          : new DbError("internal", "task_failed", describeError(error), { cause: error });
      this.#failed = failure;
      this.#log.error("a task of the node failed", { task: name, reason: describeError(error) });
      this.#failure.resolve(failure);
    });
    this.#running.add(running);
    void running.finally(() => this.#running.delete(running));
  }

  /** Ends all loops, and resolves when they have ended. */
  async stop(): Promise<void> {
    this.#stop.abort(
      new DbError("unavailable", "node_stopping", "this node is stopping: ask another"),
    );
    await Promise.all(this.#running);
  }
}

/** As `asked` settles, or rejects with `unavailable` / `store_unreachable` when the store takes longer than a probe should. */
export async function requireAnswer(asked: Promise<unknown>, clock: Clock): Promise<void> {
  const answered = new AbortController();
  const late = clock.sleep(ANSWER_MS_MAX, answered.signal).then(() => {
    throw new DbError(
      "unavailable",
      "store_unreachable",
      `the object store has not answered for ${ANSWER_MS_MAX} ms`,
    );
  });
  try {
    await Promise.race([asked, late]);
  } finally {
    answered.abort();
  }
}

/** Waits for `work`, but not longer than `waitMsMax`. */
export async function withinTime(
  work: Promise<void>,
  waitMsMax: number,
  clock: Clock,
): Promise<void> {
  const end = new AbortController();
  const late = clock.sleep(waitMsMax, end.signal).catch(() => undefined);
  await Promise.race([work, late]);
  end.abort();
}
