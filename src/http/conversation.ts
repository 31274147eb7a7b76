import type { IncomingMessage, ServerResponse } from "node:http";
import { isOpen } from "#access/authorize.ts";
import { ANSWER_PROOF_HEADER, checkBody } from "#access/node-call.ts";
import type { Principal } from "#access/principal.ts";
import type { Semaphore } from "#base/async.ts";
import { utf8 } from "#base/bytes.ts";
import { assert, type DbError, describeError } from "#base/errors.ts";
import { admit, type Caller } from "./admission.ts";
import { readBody } from "./exchange/body.ts";
import type { BodyBudget, BodyClaim } from "./exchange/body-budget.ts";
import { asDbError, CLIENT_LEFT, errorStatus } from "./exchange/errors.ts";
import type { Exchange } from "./exchange/exchange.ts";
import type { Reply } from "./exchange/reply.ts";
import { requestId } from "./exchange/request-id.ts";
import { cut, sendReply } from "./exchange/send.ts";
import type { StallWatch } from "./exchange/stall-watch.ts";
import type { HttpLimits, HttpServerOptions } from "./options.ts";
import { closeAnswered, isSent, sendContinue } from "./response.ts";
import { findMatch, type Match } from "./router.ts";
import type { HttpServices, NodeIdentity } from "./services.ts";

/** What all requests of a server share. */
export interface Host {
  readonly options: HttpServerOptions;
  readonly limits: HttpLimits;
  readonly watch: StallWatch;
  readonly budget: BodyBudget;
  /** Lets in those whose bodies are inflated. */
  readonly inflating: Semaphore;
  /** Whether no request should follow over the connections that are open. */
  stopping(): boolean;
  /** Throws `unavailable` while the node starts or stops. */
  requireServices(): HttpServices;
  identity(): NodeIdentity;
}

/** Status that is observed, never sent, for a client that left, or took its answer too slowly. */
const STATUS_CLIENT_LEFT = 499;
/** Of a refused request, this many times the largest allowed body is passed over, so that its client reads the answer. */
const PASSED_OVER_TIMES = 4;
const ORIGIN = /^https?:\/\/[^/?]*/i;

/** One request and its answer. */
export class Conversation {
  readonly #host: Host;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #match: Match;
  /** With its query. */
  readonly #path: string;
  readonly #query: string | undefined;
  readonly #abort = new AbortController();
  readonly #startMs: number;
  #expectsContinue: boolean;
  #claim: BodyClaim | undefined;
  /** Who sent the request, once that is known. */
  #principal: Principal | undefined;
  #answerSizeBytes = 0;
  /** What is observed of an answer that broke off. */
  #brokenStatus: number | undefined;

  /** `expectsContinue`: the client waits for a word before it sends the body. */
  constructor(
    host: Host,
    request: IncomingMessage,
    response: ServerResponse,
    expectsContinue: boolean,
  ) {
    const url = (request.url ?? "/").replace(ORIGIN, "");
    const queryStart = url.indexOf("?");
    this.#host = host;
    this.#request = request;
    this.#response = response;
    this.#match = (host.options.findMatch ?? findMatch)(
      request.method ?? "",
      queryStart === -1 ? url : url.slice(0, queryStart),
    );
    this.#path = url;
    this.#query = queryStart === -1 ? undefined : url.slice(queryStart + 1);
    this.#startMs = host.options.clock.monotonicMs();
    this.#expectsContinue = expectsContinue;
    // Writing to a client that has left is an error of the response; its `close` tells the same.
    response.on("error", () => undefined);
  }

  /** Answers the request. Every failure is an answer or the end of the connection; this does not reject. */
  async run(): Promise<void> {
    try {
      await this.#send(await this.#answer());
    } catch (error) {
      await this.#sendError(error);
    }
  }

  /** The connection has taken the answer, or is gone. */
  finish(): void {
    const { options } = this.#host;
    this.#claim?.[Symbol.dispose]();
    if (!isSent(this.#response)) this.abort(CLIENT_LEFT);
    const status = this.#status();
    options.observe?.({
      method: this.#request.method ?? "",
      route: this.#match.route,
      status,
      outcome: status < 400 ? "ok" : status < 500 ? "client_error" : "server_error",
      durationMs: options.clock.monotonicMs() - this.#startMs,
      answerSizeBytes: this.#answerSizeBytes,
    });
  }

  /** Whether `claim` is what its body holds. */
  holds(claim: BodyClaim): boolean {
    return this.#claim === claim;
  }

  /** Asks the work behind the answer to stop. */
  abort(reason: DbError): void {
    this.#abort.abort(reason);
  }

  async #answer(): Promise<Reply> {
    const { early, endpoint, needs } = this.#match;
    const { access } = this.#host.options;
    if (early !== undefined && isOpen(access, needs)) return early(this.#host.identity());
    const services = this.#host.requireServices();
    const principal = await admit(this.#caller(), this.#match, access, services);
    this.#principal = principal;
    if (early !== undefined) return early(this.#host.identity());
    return endpoint(this.#exchange(services, principal));
  }

  #caller(): Caller {
    return {
      method: this.#request.method ?? "",
      path: this.#path,
      query: this.#query,
      authorization: this.#request.headers.authorization,
      signal: this.#abort.signal,
    };
  }

  #exchange(services: HttpServices, principal: Principal): Exchange {
    const { clock, random } = this.#host.options;
    return {
      services,
      principal,
      query: this.#query,
      headers: this.#request.headers,
      signal: this.#abort.signal,
      clock,
      random,
      readBody: async () => {
        const body = await this.#readBody();
        // Of a client that left in between, nothing is done.
        this.#abort.signal.throwIfAborted();
        if (principal.kind === "node") checkBody(principal, body);
        return body;
      },
    };
  }

  #readBody(): Promise<Uint8Array> {
    const { options, budget, inflating, watch, limits } = this.#host;
    return readBody(this.#request, {
      sizeMax: options.requestSizeMax,
      budget,
      inflating,
      onClaim: (claim) => {
        this.#claim = claim;
      },
      onStart: () => {
        if (this.#expectsContinue) sendContinue(this.#response);
        this.#expectsContinue = false;
      },
      watch,
      limits,
      signal: this.#abort.signal,
    });
  }

  async #send(reply: Reply): Promise<void> {
    const { options, watch, limits } = this.#host;
    if (this.#host.stopping()) this.#response.shouldKeepAlive = false;
    const { clusterUuid } = this.#host.identity();
    this.#answerSizeBytes = await sendReply(this.#response, reply, {
      headers: {
        ...(clusterUuid === undefined ? {} : { "cluster-uuid": clusterUuid }),
        ...(reply.status < 400 ? { "access-control-allow-origin": "*" } : {}),
        ...this.#proof(reply),
      },
      signal: this.#abort.signal,
      clock: options.clock,
      watch,
      limits,
      onStall: (reason) => void this.#sendError(reason),
    });
    if (!this.#request.complete) {
      passOver(this.#request, PASSED_OVER_TIMES * options.requestSizeMax);
      closeAnswered(this.#request, this.#response);
    }
  }

  /** Another node believes what it can tell for this one's. */
  #proof({ body, status }: Reply): Readonly<Record<string, string>> {
    if (this.#principal?.kind !== "node") return {};
    const bytes = typeof body === "string" ? utf8(body) : body;
    assert(bytes === undefined || bytes instanceof Uint8Array, "nodes are answered in one piece");
    return { [ANSWER_PROOF_HEADER]: this.#principal.proveAnswer(status, bytes) };
  }

  async #sendError(thrown: unknown): Promise<void> {
    if (this.#response.destroyed) return;
    const { clock, random } = this.#host.options;
    const error = asDbError(thrown);
    const id = requestId(clock, random);
    this.#logError(error, id);
    if (this.#response.headersSent) {
      this.#brokenStatus = error.code === "answer_stalled" ? STATUS_CLIENT_LEFT : 500;
      cut(this.#response);
      return;
    }
    if (error.code === "request_stalled") this.#response.shouldKeepAlive = false;
    // Nothing is left to tell a client whom this fails.
    await this.#send(this.#match.errorStyle(error, id)).catch(() => cut(this.#response));
  }

  #logError(error: DbError, id: string): void {
    const { log } = this.#host.options;
    const fields = {
      requestId: id,
      method: this.#request.method,
      route: this.#match.route,
      code: error.code,
      error: describeError(error),
    };
    if (errorStatus(error) === 500) log.error("A request failed.", fields);
    else if (this.#response.headersSent) log.warn("An answer was broken off.", fields);
    else log.debug("A request was refused.", fields);
  }

  #status(): number {
    if (this.#brokenStatus !== undefined) return this.#brokenStatus;
    return isSent(this.#response) ? this.#response.statusCode : STATUS_CLIENT_LEFT;
  }
}

/** Takes what is left of a body that nobody reads, so that the client meets the answer, not a reset; bounded. */
function passOver(request: IncomingMessage, sizeMax: number): void {
  let sizeBytes = 0;
  request.on("data", (chunk: Uint8Array) => {
    sizeBytes += chunk.length;
    if (sizeBytes > sizeMax) request.destroy();
  });
  // Whoever gave up reading it has paused it.
  request.resume();
}
