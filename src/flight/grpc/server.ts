import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import { DbError, describeError } from "#base/errors.ts";
import type { Clock } from "#ports/clock.ts";
import type { Log } from "#ports/log.ts";
import { Call, type CallLimits, type MessageMemory } from "./call.ts";
import { asDbError, STATUS, type Status, statusOf } from "./status.ts";
import { parseTimeout } from "./timeout.ts";

/** Answers one method: sends messages, and returns when the answer is whole. What it rejects with is the status. */
export type Method = (call: Call) => Promise<void>;

export interface GrpcServerOptions {
  /** By path: `/package.Service/Method`. */
  readonly methods: ReadonlyMap<string, Method>;
  readonly limits: CallLimits;
  readonly clock: Clock;
  readonly log: Log;
  readonly observe?: (call: ObservedCall) => void;
}

/** A call that is over. */
export interface ObservedCall {
  /** The path of the method; undefined for all that there are none of. */
  readonly path: string | undefined;
  readonly outcome: "ok" | "client_error" | "server_error";
  readonly durationMs: number;
  readonly sizeBytes: number;
}

/** A call that runs. */
export interface RunningCall {
  /** Ends it with an error. */
  abort(reason: DbError): void;
}

const CLIENT_LEFT = new DbError("unavailable", "client_left", "the client left before its answer");

/** gRPC over HTTP/2 (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md), without compression of messages. */
export class GrpcServer {
  readonly #options: GrpcServerOptions;

  constructor(options: GrpcServerOptions) {
    this.#options = options;
  }

  /** Answers a request whose content type is `application/grpc`. What its messages take is counted in `memory`. */
  answer(
    request: Http2ServerRequest,
    response: Http2ServerResponse,
    memory: MessageMemory,
  ): RunningCall {
    const abort = new AbortController();
    response.on("error", () => undefined);
    request.on("error", () => undefined);
    response.once("close", () => abort.abort(CLIENT_LEFT));
    response.setHeader("content-type", "application/grpc");
    response.setHeader("grpc-accept-encoding", "identity");
    response.sendDate = false;
    const { clock, limits } = this.#options;
    const call = new Call(request, response, { limits, memory, clock, abort });
    void this.#run(call, abort);
    return { abort: (reason) => abort.abort(reason) };
  }

  async #run(call: Call, abort: AbortController): Promise<void> {
    const { clock, methods, observe } = this.#options;
    const startMs = clock.monotonicMs();
    const method = methods.get(call.path);
    let status: Status = STATUS.ok;
    try {
      if (method === undefined) throw unknownMethod(call.path);
      limitAsAsked(call);
      await method(call);
      call.end(status);
    } catch (thrown) {
      const error = asDbError(abort.signal.aborted ? abort.signal.reason : thrown);
      // Nothing goes on behind an answer that has failed.
      abort.abort(error);
      status = this.#fail(call, error);
    }
    const { sizeBytes } = call;
    const path = method && call.path;
    observe?.({
      path,
      outcome: outcomeOf(status),
      durationMs: clock.monotonicMs() - startMs,
      sizeBytes,
    });
  }

  /** Ends `call` with `error`; answers its status. */
  #fail(call: Call, error: DbError): Status {
    const status = statusOf(error);
    const { log } = this.#options;
    const fields = { path: call.path, code: error.code, error: describeError(error) };
    if (error.code === "answer_stalled") {
      log.warn("An answer was broken off.", fields);
      call.cut();
    } else if (status === STATUS.internal) {
      log.error("A call failed.", fields);
      // A bug's own words are for the log; what is damaged is for whoever asks to know.
      const isBug = error.kind === "internal";
      call.end(status, isBug ? "internal error: the node's log says more" : error.message);
    } else {
      log.debug("A call was refused.", fields);
      call.end(status, error.message);
    }
    return status;
  }
}

/** Gives `call` the time that its client says. */
function limitAsAsked(call: Call): void {
  const timeout = call.headers["grpc-timeout"];
  const timeoutMs = parseTimeout(typeof timeout === "string" ? timeout : undefined);
  if (timeoutMs !== undefined) call.limit(timeoutMs, () => deadlineOver(timeoutMs));
}

function outcomeOf(status: Status): ObservedCall["outcome"] {
  if (status === STATUS.ok) return "ok";
  return status === STATUS.internal || status === STATUS.unavailable
    ? "server_error"
    : "client_error";
}

function unknownMethod(path: string): DbError {
  return new DbError("unsupported", "grpc_method", `there is no method ${path}`);
}

function deadlineOver(timeoutMs: number): DbError {
  return new DbError(
    "exceeded",
    "grpc_deadline",
    `the call took longer than the ${timeoutMs} ms that its client gave it`,
    { detail: { timeoutMs } },
  );
}
