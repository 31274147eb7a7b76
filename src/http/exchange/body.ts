import type { IncomingMessage } from "node:http";
import type { Semaphore } from "#base/async.ts";
import { DbError } from "#base/errors.ts";
import { isWhole } from "../response.ts";
import type { BodyBudget, BodyClaim } from "./body-budget.ts";
import { BodyMemory } from "./body-memory.ts";
import { CLIENT_LEFT } from "./errors.ts";
import { inflate } from "./inflate.ts";
import type { StallWatch, Watched } from "./stall-watch.ts";

export interface BodyLimits {
  /** How long nothing of a body may come. */
  readonly bodyStallMsMax: number;
  /** How long it may take to come. */
  readonly requestMsMax: number;
}

export interface BodyOptions {
  /** Bytes of one body, as sent and inflated. */
  readonly sizeMax: number;
  readonly budget: BodyBudget;
  /** Receives what the body holds of the budget; the owner disposes of it when the request is over. */
  readonly onClaim: (claim: BodyClaim) => void;
  /** Called when the body is wanted: the client may send it now. */
  readonly onStart: () => void;
  readonly watch: StallWatch;
  readonly limits: BodyLimits;
  readonly inflating: Semaphore;
  /** Aborted when nobody waits for the body any more. */
  readonly signal: AbortSignal;
}

/**
 * Reads the body of `request` into memory of its own, inflated where `Content-Encoding` says gzip, of one or several members.
 * Leaves the request open, and paused, when it rejects, so that it can be answered:
 *
 * - `invalid` / `content_encoding`, `body_gzip`
 * - `exceeded` / `request_size`, `request_memory`
 * - `unavailable` / `request_stalled`
 *
 * When the client leaves it rejects with whatever the stream says; nobody is left to read an answer.
 */
export async function readBody(
  request: IncomingMessage,
  options: BodyOptions,
): Promise<Uint8Array> {
  const gzip = isGzip(request.headers["content-encoding"]);
  const said = request.headers["content-length"];
  const sizeSaid = said === undefined ? undefined : Number(said);
  // Refuses at once what says that it is too large, before a byte of it is taken.
  if (sizeSaid !== undefined && sizeSaid > options.sizeMax) throw tooLarge(options);
  options.onStart();
  const reception = new Reception(request, options, sizeSaid);
  options.onClaim(reception.claim);
  const sent = await reception.promise;
  if (!gzip || sent.length === 0) return sent;
  try {
    const inflated = await inflate(sent, options);
    if (inflated === undefined) throw tooLarge(options);
    reception.claim.hold(inflated.length);
    return inflated;
  } catch (error) {
    reception.claim.hold(0);
    throw error;
  }
}

function isGzip(encoding: string | undefined): boolean {
  const name = (encoding ?? "identity").trim().toLowerCase();
  if (name === "identity" || name === "") return false;
  // Two names of the same thing (RFC 9110, section 8.4.1.3).
  if (name === "gzip" || name === "x-gzip") return true;
  throw new DbError("invalid", "content_encoding", `unacceptable content-encoding: ${encoding}`);
}

/** A body on its way in, as it is sent. Listens to what the request tells, without a promise for each piece. */
class Reception {
  readonly claim: BodyClaim;
  readonly promise: Promise<Uint8Array<ArrayBuffer>>;
  readonly #request: IncomingMessage;
  readonly #options: BodyOptions;
  readonly #memory: BodyMemory;
  readonly #sizeSaid: number | undefined;
  readonly #settle = Promise.withResolvers<Uint8Array<ArrayBuffer>>();
  readonly #pause: Watched;
  readonly #whole: Watched;

  constructor(request: IncomingMessage, options: BodyOptions, sizeSaid: number | undefined) {
    this.#request = request;
    this.#options = options;
    this.#sizeSaid = sizeSaid;
    this.promise = this.#settle.promise;
    this.claim = options.budget.claim((reason) => this.#fail(reason));
    this.claim.begin();
    this.#memory = new BodyMemory(this.claim, options.sizeMax, sizeSaid);
    const { limits, watch } = options;
    const { bodyStallMsMax, requestMsMax } = limits;
    this.#pause = watch.begin(bodyStallMsMax, () =>
      this.#fail(stalled(`nothing of the request's body came for ${bodyStallMsMax} ms`, limits)),
    );
    this.#whole = watch.begin(requestMsMax, () =>
      this.#fail(stalled(`the request's body is not whole after ${requestMsMax} ms`, limits)),
    );
    request.on("data", this.#take).once("end", this.#end);
    // What the stream says when the client left. An error after that concerns nobody.
    request.once("error", this.#fail).once("close", this.#left);
  }

  readonly #take = (chunk: Uint8Array): void => {
    this.#pause.moved();
    try {
      const { sizeBytes } = this.#memory;
      if (sizeBytes + chunk.length > this.#options.sizeMax) throw tooLarge(this.#options);
      this.#memory.add(chunk);
      this.claim.receivedBytes = this.#memory.sizeBytes;
    } catch (error) {
      this.#fail(error);
    }
  };

  readonly #end = (): void => {
    const { sizeBytes } = this.#memory;
    if (!isWhole(this.#request) || (this.#sizeSaid ?? sizeBytes) !== sizeBytes) {
      this.#fail(CLIENT_LEFT);
      return;
    }
    this.#stop();
    try {
      this.#settle.resolve(this.#memory.take());
    } catch (error) {
      this.#fail(error);
    }
  };

  readonly #left = (): void => this.#fail(new Error("the connection ended before the body did"));

  readonly #fail = (error: unknown): void => {
    this.#stop();
    this.#memory.drop();
    // Nothing more is taken until somebody passes over it.
    this.#request.pause();
    this.#settle.reject(error);
  };

  #stop(): void {
    this.#pause.end();
    this.#whole.end();
    this.claim.receiving = false;
    this.#request.off("data", this.#take).off("end", this.#end).off("close", this.#left);
  }
}

function stalled(message: string, { bodyStallMsMax, requestMsMax }: BodyLimits): DbError {
  const detail = { bodyStallMsMax, requestMsMax };
  return new DbError("unavailable", "request_stalled", message, { detail });
}

function tooLarge({ sizeMax }: BodyOptions): DbError {
  return new DbError(
    "exceeded",
    "request_size",
    `max request size (${sizeMax} bytes) exceeded; send less at once, or raise --max-http-request-size`,
    { detail: { requestSizeMax: sizeMax } },
  );
}
