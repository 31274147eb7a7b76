import { Semaphore, untilAborted } from "#base/async.ts";
import { DbError } from "#base/errors.ts";
import type { Clock } from "#ports/clock.ts";
import type { Log } from "#ports/log.ts";
import type { Random } from "#ports/random.ts";
import type { CloudConfig } from "./config.ts";
import { type CloudRefusal, cloudErrorOf } from "./failures.ts";

/** What an adapter of a cloud is given beside its configuration. */
export interface CloudPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export interface CloudRequestsOptions {
  readonly config: CloudConfig;
  /** As `bucket data at http://127.0.0.1:9000`: where messages say that a request went. */
  readonly place: string;
  readonly clock: Clock;
  /** What the answer said that the cloud's own library threw `error` for. */
  readonly refusalOf: (error: unknown) => CloudRefusal;
}

/** Some bytes every few seconds, by which others know that a process lives: behind a queue of files they would come too late. */
const SIGN_OF_LIFE = /\/office\/heartbeat$/;

/**
 * Sends the requests of one adapter: at most so many at once, beside signs of life, each with an end, each failure a DbError. It
 * repeats nothing: retrying.ts does, and who puts if absent (ports/object-store.ts).
 */
export class CloudRequests implements AsyncDisposable {
  readonly #options: CloudRequestsOptions;
  readonly #gate: Semaphore;
  readonly #closing = new AbortController();

  constructor(options: CloudRequestsOptions) {
    this.#options = options;
    this.#gate = new Semaphore(options.config.connectionCountMax);
  }

  /**
   * What `send` resolves with. A DbError that it throws is passed on; any other failure, no answer in time and a store that was
   * closed become what `cloudErrorOf` makes of them. The signal is aborted when nobody waits for the answer any more.
   */
  async run<T>(key: string, send: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { place, refusalOf } = this.#options;
    try {
      const release = SIGN_OF_LIFE.test(key)
        ? () => undefined
        : await this.#gate.acquire(this.#closing.signal);
      try {
        return await this.#timed(send);
      } finally {
        release();
      }
    } catch (error) {
      if (error instanceof DbError) throw error;
      const refusal = error instanceof NoAnswer ? silenceOf(error) : refusalOf(error);
      throw cloudErrorOf(refusal, { key, place }, error);
    }
  }

  /** Gives up what is under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new NoAnswer("the store is closed"));
  }

  async #timed<T>(send: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { clock, config } = this.#options;
    const request = new AbortController();
    const timer = new AbortController();
    const timeout = clock.sleep(config.requestTimeoutMs, timer.signal).then(() => {
      throw new NoAnswer(`no answer within ${config.requestTimeoutMs} ms`);
    });
    try {
      const answer = Promise.race([send(request.signal), timeout]);
      return await untilAborted(answer, this.#closing.signal);
    } catch (error) {
      // Not after an answer: a library may break off the connection then, which serves the next request.
      request.abort();
      throw error;
    } finally {
      timer.abort();
    }
  }
}

/** That a request was given up here. */
class NoAnswer extends Error {}

function silenceOf({ message }: NoAnswer): CloudRefusal {
  return { status: undefined, code: undefined, text: message };
}
