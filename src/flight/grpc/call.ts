import {
  constants,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type IncomingHttpHeaders,
} from "node:http2";
import { untilAborted } from "#base/async.ts";
import { DbError } from "#base/errors.ts";
import { Patience, type PatienceLimits } from "#base/patience.ts";
import type { Clock } from "#ports/clock.ts";
import { FrameReader } from "./frames.ts";
import { encodeStatusMessage, type Status } from "./status.ts";

/** `PatienceLimits`: how slowly a client may take what it is sent. */
export interface CallLimits extends PatienceLimits {
  /** Bytes of a message of a client. */
  readonly requestSizeMax: number;
  /** How long a client may send nothing of what it is asked for. */
  readonly bodyStallMsMax: number;
  /** How long it may take to send all messages that it is asked for. */
  readonly requestMsMax: number;
}

/** Where the memory that messages take is counted, until their call is over. */
export interface MessageMemory {
  /** From now on they take `sizeBytes`, in place of what they took. Throws `exceeded` / `request_memory`. */
  hold(sizeBytes: number): void;
  /** The client is asked for messages: before, it cannot be slow. */
  begin(): void;
  /** Bytes that came, and whether more are waited for: from `begin` on. */
  receivedBytes: number;
  receiving: boolean;
}

/** When a client has stalled, and what is told of it. */
interface Stall {
  readonly afterMs: number;
  readonly reason: () => DbError;
}

/** What is sent at once: a client is known to have taken all of it, or nothing. */
const PIECE_SIZE = 64 * 1024;

/** One call, as a method sees it. */
export class Call {
  readonly #request: Http2ServerRequest;
  readonly #response: Http2ServerResponse;
  readonly #limits: CallLimits;
  readonly #memory: MessageMemory;
  readonly #clock: Clock;
  readonly #patience: Patience;
  readonly #abort: AbortController;
  readonly #trailers: Record<string, string> = {};
  /** Aborted when the client leaves, its deadline is over, or the server waits no longer. */
  readonly signal: AbortSignal;
  #sizeBytes = 0;

  constructor(
    request: Http2ServerRequest,
    response: Http2ServerResponse,
    options: {
      readonly limits: CallLimits;
      readonly memory: MessageMemory;
      readonly clock: Clock;
      readonly abort: AbortController;
    },
  ) {
    this.#request = request;
    this.#response = response;
    this.#limits = options.limits;
    this.#memory = options.memory;
    this.#clock = options.clock;
    this.#patience = new Patience(options.limits);
    this.#abort = options.abort;
    this.signal = options.abort.signal;
  }

  get headers(): IncomingHttpHeaders {
    return this.#request.headers;
  }

  get path(): string {
    return this.#request.url;
  }

  /** Bytes sent. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Ends the call with `reason` when it is not over after `durationMs`. */
  limit(durationMs: number, reason: () => DbError): void {
    this.#clock.sleep(durationMs, this.signal).then(
      () => this.#abort.abort(reason()),
      () => undefined,
    );
  }

  /** The client's messages as they come, of at most `sizeMax` bytes each, if that is less than what is allowed. Read them once. */
  async *messages(sizeMax = Infinity): AsyncGenerator<Uint8Array, void> {
    const reader = new FrameReader(Math.min(sizeMax, this.#limits.requestSizeMax));
    const memory = this.#memory;
    let givenBytes = 0;
    memory.begin();
    try {
      for await (const chunk of this.#chunks()) {
        const messages = reader.push(chunk);
        for (const { length } of messages) givenBytes += length;
        memory.receivedBytes += chunk.length;
        memory.hold(givenBytes + reader.heldBytes);
        yield* messages;
      }
    } finally {
      memory.receiving = false;
    }
    if (reader.unfinished)
      throw new DbError("invalid", "protobuf", "the last message is not whole");
  }

  /** The first message, which must be there. */
  async message(sizeMax?: number): Promise<Uint8Array> {
    for await (const message of this.messages(sizeMax)) return message;
    throw new DbError("invalid", "protobuf", "the call has no message");
  }

  /** Adds a header to the answer, before anything of it is sent. */
  setHeader(name: string, value: string): void {
    this.#response.setHeader(name, value);
  }

  /** Adds to what follows the answer. */
  setTrailer(name: string, value: string): void {
    this.#trailers[name] = value;
  }

  /** Begins the answer: a client that waits for what it says of itself need not wait for its first message. */
  begin(): void {
    if (!this.#response.headersSent) this.#response.writeHead(200);
  }

  /** Sends messages, framed; resolves when the client may be sent more. Rejects with `unavailable` / `answer_stalled` when it takes them too slowly. */
  async send(frames: Uint8Array): Promise<void> {
    this.signal.throwIfAborted();
    this.begin();
    this.#sizeBytes += frames.length;
    for (let start = 0; start < frames.length; start += PIECE_SIZE) {
      const piece = frames.subarray(start, start + PIECE_SIZE);
      if (!this.#response.write(piece)) await this.#untilTaken();
      this.#patience.took(piece.length);
    }
  }

  /** Ends the answer. A client that does not take what is left of it is cut off. */
  end(status: Status, message = ""): void {
    const text = message === "" ? {} : { "grpc-message": encodeStatusMessage(message) };
    const trailers = { ...this.#trailers, "grpc-status": String(status), ...text };
    const { stream } = this.#response;
    if (stream.destroyed) return;
    // What the client has not sent by then is of no interest. The trailers must have gone before.
    const close = () => stream.close(constants.NGHTTP2_NO_ERROR);
    if (this.#response.headersSent) {
      this.#response.addTrailers(trailers);
      stream.once("wantTrailers", () => setImmediate(close));
      this.#response.end();
    } else {
      for (const [name, value] of Object.entries(trailers)) this.#response.setHeader(name, value);
      this.#response.end();
      setImmediate(close);
    }
    const closed = new AbortController();
    this.#response.once("close", () => closed.abort());
    this.#clock.sleep(this.#patience.lastMs, closed.signal).then(
      () => this.cut(),
      () => undefined,
    );
  }

  /** Breaks the answer off, of a client that takes too little: what it does not take would keep its end from it as well. */
  cut(): void {
    this.#response.stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }

  /** What the client sends. */
  async *#chunks(): AsyncGenerator<Uint8Array, void> {
    const chunks = this.#request.iterator({ destroyOnReturn: false });
    const { bodyStallMsMax, requestMsMax } = this.#limits;
    const endMs = this.#clock.monotonicMs() + requestMsMax;
    for (;;) {
      const leftMs = endMs - this.#clock.monotonicMs();
      const [afterMs, what] =
        leftMs < bodyStallMsMax
          ? [Math.max(0, leftMs), `is not done after ${requestMsMax} ms`]
          : [bodyStallMsMax, `sends nothing for ${bodyStallMsMax} ms`];
      const reason = () => new DbError("unavailable", "request_stalled", `the client ${what}`);
      const next = this.#within({ afterMs, reason }, chunks.next());
      const step = (await next) as IteratorResult<Uint8Array>;
      if (step.done === true) return;
      yield step.value;
    }
  }

  async #untilTaken(): Promise<void> {
    const patience = this.#patience;
    const taken = Promise.withResolvers<void>();
    this.#response.once("drain", taken.resolve);
    const startMs = this.#clock.monotonicMs();
    try {
      await this.#within({ afterMs: patience.leftMs, reason: () => patience.end() }, taken.promise);
    } finally {
      this.#response.off("drain", taken.resolve);
      patience.waited(this.#clock.monotonicMs() - startMs);
    }
  }

  /** As `work` settles, or rejects after so long. */
  async #within<T>({ afterMs, reason }: Stall, work: Promise<T>): Promise<T> {
    const done = new AbortController();
    const stalled = this.#clock
      .sleep(afterMs, AbortSignal.any([done.signal, this.signal]))
      .then(() => {
        throw reason();
      });
    // Whoever wins, the other one is heard by nobody.
    stalled.catch(() => undefined);
    try {
      return await untilAborted(Promise.race([work, stalled]), this.signal);
    } finally {
      done.abort();
    }
  }
}
