import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { Semaphore } from "#base/async.ts";
import { DbError, describeError } from "#base/errors.ts";
import { Connections } from "./connections.ts";
import { Conversation, type Host } from "./conversation.ts";
import { BodyBudget, type BodyClaim } from "./exchange/body-budget.ts";
import { StallWatch } from "./exchange/stall-watch.ts";
import { type GrpcService, isGrpc, type Running, refuseGrpc } from "./grpc.ts";
import { Handshakes } from "./handshakes.ts";
import { Http2Side } from "./http2.ts";
import {
  HEADER_COUNT_MAX,
  HEADERS_SIZE_MAX,
  HTTP_LIMITS,
  type HttpLimits,
  type HttpServerOptions,
} from "./options.ts";
import { asHttp1 } from "./response.ts";
import type { HttpServices, NodeIdentity } from "./services.ts";

/** How often node:http looks for requests that are late, in milliseconds at most. */
const LATE_CHECK_MS_MAX = 5_000;

/** Bodies inflated at a time. Each takes a thread of the four that the disk needs as well. */
const INFLATE_COUNT_MAX = 2;

/** A request that is being received or answered. */
interface Received extends Running {
  /** Whether `claim` is what its body holds. */
  holds(claim: BodyClaim): boolean;
}

/**
 * Speaks HTTP/1.1 and HTTP/2, over TLS where it has a certificate: reads requests, calls one service for each, and writes what it answers.
 * Calls of gRPC it leaves to who answers them.
 *
 * Listens from `open` on; until `serve` gives it services it answers all but `/health` and the node's identity with 503.
 */
export class HttpServer implements AsyncDisposable {
  readonly #options: HttpServerOptions;
  readonly #limits: HttpLimits;
  readonly #host: Host;
  readonly #handshakes: Handshakes;
  readonly #server: Server;
  readonly #http2: Http2Side;
  readonly #watch: StallWatch;
  readonly #stopWatch = new AbortController();
  /** With the connections they came over, which a request of HTTP/2 does not know itself. */
  readonly #running = new Map<Received, Socket>();
  #idle = Promise.withResolvers<void>();
  #watching: Promise<void> = Promise.resolve();
  #services: HttpServices | undefined;
  #grpc: GrpcService | undefined;
  #stopping = false;
  #drained: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;

  private constructor(options: HttpServerOptions) {
    this.#options = options;
    this.#limits = { ...HTTP_LIMITS, ...options.limits };
    this.#services = options.services;
    const { answerGraceMs, answerStallMsMax, bodyStallMsMax, requestMsMax } = this.#limits;
    const leastMs = Math.min(answerGraceMs, answerStallMsMax, bodyStallMsMax, requestMsMax);
    this.#watch = new StallWatch(options.clock, leastMs / 4);
    this.#host = this.#createHost();
    const connections = this.#createConnections();
    this.#handshakes = new Handshakes(this.#limits.connectionCountMax);
    this.#server = this.#createServer(connections);
    this.#http2 = this.#createHttp2(connections);
    this.#take(connections);
  }

  /**
   * Resolves when it listens. Rejects with `unavailable` / `address_in_use`, or `invalid` / `address` when there is no
   * such address here or it may not be used.
   */
  static async open(options: HttpServerOptions): Promise<HttpServer> {
    const server = new HttpServer(options);
    await server.#listen();
    server.#watching = server.#watch.run(server.#stopWatch.signal);
    return server;
  }

  /** The address it is bound to, as `host:port`. */
  get address(): string {
    const { address, family, port } = this.#server.address() as AddressInfo;
    return family === "IPv6" ? `[${address}]:${port}` : `${address}:${port}`;
  }

  /** The node is up: requests go to `services` from now on, calls of gRPC to `grpc`. */
  serve(services: HttpServices, grpc?: GrpcService): void {
    this.#services = services;
    this.#grpc = grpc;
  }

  /**
   * Takes no more work, and resolves when the requests that run have been answered, or broken off after `stopMsMax`. It goes on
   * saying who it is, and answers all else with 503.
   */
  drain(): Promise<void> {
    this.#drained ??= this.#drain();
    return this.#drained;
  }

  /** Takes no more connections, drains, then cuts off what is left. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped ??= this.#stop();
    await this.#stopped;
  }

  #createHost(): Host {
    return {
      options: this.#options,
      limits: this.#limits,
      watch: this.#watch,
      budget: new BodyBudget(
        this.#options.clock,
        Math.max(this.#limits.bodiesSizeMax, this.#options.requestSizeMax),
        this.#limits.bodySlowMs,
      ),
      inflating: new Semaphore(INFLATE_COUNT_MAX),
      stopping: () => this.#stopping,
      requireServices: () => this.#requireServices(),
      identity: (): NodeIdentity => this.#services?.identify() ?? this.#options.identity,
    };
  }

  #createConnections(): Connections {
    return new Connections({
      countMax: this.#limits.connectionCountMax,
      clock: this.#options.clock,
      log: this.#options.log,
      slowest: () => this.#slowestSender(),
    });
  }

  #createServer(connections: Connections): Server {
    const limits = this.#limits;
    const { tls } = this.#options;
    const settings = {
      headersTimeout: limits.headersMsMax,
      requestTimeout: limits.requestMsMax,
      keepAliveTimeout: limits.idleMsMax,
      connectionsCheckingInterval: Math.min(LATE_CHECK_MS_MAX, limits.headersMsMax / 4),
      maxHeaderSize: HEADERS_SIZE_MAX,
      noDelay: true,
      keepAlive: true,
    };
    const server =
      tls === undefined
        ? createServer(settings)
        : createTlsServer({
            ...settings,
            cert: tls.certificate,
            key: tls.key,
            minVersion: tls.minVersion,
            handshakeTimeout: limits.headersMsMax,
            ALPNProtocols: ["h2", "http/1.1"],
          });
    server.maxHeadersCount = HEADER_COUNT_MAX;
    const accept = (request: IncomingMessage, response: ServerResponse, expects: boolean) => {
      const { socket } = request;
      connections.begin(socket);
      response.once("close", () => connections.end(socket));
      this.#accept(socket, request, response, expects);
    };
    server.on("request", (request, response) => accept(request, response, false));
    // The word to go on is given when the body is wanted: a refusal then costs no body.
    server.on("checkContinue", (request, response) => accept(request, response, true));
    return server;
  }

  /** Takes connections, over TLS where there is a certificate, and of either version. */
  #take(connections: Connections): void {
    if (this.#options.tls === undefined) {
      this.#http2.share(this.#server, "connection");
      this.#server.on("connection", (socket) => connections.open(socket));
      return;
    }
    this.#http2.share(this.#server, "secureConnection");
    this.#server.on("connection", (socket: Socket) => this.#handshakes.begin(socket));
    this.#server.on("secureConnection", (socket: Socket) => {
      this.#handshakes.end(socket);
      connections.open(socket);
    });
  }

  #createHttp2(connections: Connections): Http2Side {
    return new Http2Side({
      limits: this.#limits,
      watch: this.#watch,
      accept: (socket, request, response, expectsContinue) => {
        connections.begin(socket);
        response.once("close", () => connections.end(socket));
        if (!isGrpc(request)) {
          this.#accept(socket, ...asHttp1(request, response), expectsContinue);
          return;
        }
        if (expectsContinue) response.writeContinue();
        this.#call(socket, request, response);
      },
    });
  }

  /** The connection whose body comes slowest, of those that come too slowly. */
  #slowestSender(): Socket | undefined {
    const claim = this.#host.budget.slowest();
    if (claim === undefined) return undefined;
    for (const [running, socket] of this.#running) if (running.holds(claim)) return socket;
    return undefined;
  }

  async #listen(): Promise<void> {
    const { host, port } = this.#options;
    const listening = Promise.withResolvers<void>();
    this.#server.once("error", listening.reject);
    this.#server.listen(port, host, () => listening.resolve());
    try {
      await listening.promise;
    } catch (error) {
      throw listenError(error, host, port);
    }
    this.#server.off("error", listening.reject);
    // A connection that cannot be taken (no more descriptors, say) concerns itself, not the server.
    this.#server.on("error", (error) => {
      this.#options.log.error("The HTTP server could not take a connection.", {
        error: describeError(error),
      });
    });
  }

  #accept(
    socket: Socket,
    request: IncomingMessage,
    response: ServerResponse,
    expectsContinue: boolean,
  ): void {
    const conversation = new Conversation(this.#host, request, response, expectsContinue);
    this.#keep(conversation, socket, response, () => conversation.finish());
    void conversation.run();
  }

  #call(socket: Socket, request: Http2ServerRequest, response: Http2ServerResponse): void {
    if (this.#stopping) return refuseGrpc(response, STOPPING);
    if (this.#services === undefined) return refuseGrpc(response, STARTING);
    if (this.#grpc === undefined) return refuseGrpc(response, NO_GRPC);
    const claim = this.#host.budget.claim((reason) => {
      claim.hold(0);
      call.abort(reason);
    });
    const call = this.#grpc.answer(request, response, claim);
    const running: Received = {
      abort: (reason) => call.abort(reason),
      holds: (other) => other === claim,
    };
    this.#keep(running, socket, response, () => claim[Symbol.dispose]());
  }

  /** Counts `running` among those that run until its answer is sent, or its client gone; then calls `finish`. */
  #keep(
    running: Received,
    socket: Socket,
    response: ServerResponse | Http2ServerResponse,
    finish: () => void,
  ): void {
    this.#running.set(running, socket);
    response.on("close", () => {
      this.#running.delete(running);
      finish();
      if (this.#running.size > 0) return;
      this.#idle.resolve();
      this.#idle = Promise.withResolvers<void>();
    });
  }

  #requireServices(): HttpServices {
    if (this.#stopping) throw STOPPING;
    if (this.#services === undefined) throw STARTING;
    return this.#services;
  }

  async #drain(): Promise<void> {
    this.#stopping = true;
    if (this.#running.size > 0) {
      const waiting = new AbortController();
      const late = this.#options.clock.sleep(this.#limits.stopMsMax, waiting.signal);
      await Promise.race([this.#idle.promise, late]);
      waiting.abort();
      await late.catch(() => undefined);
    }
    for (const running of this.#running.keys()) running.abort(STOPPING);
  }

  async #stop(): Promise<void> {
    const closed = Promise.withResolvers<void>();
    this.#server.close(() => closed.resolve());
    this.#http2.close();
    await this.drain();
    this.#handshakes.destroy();
    this.#server.closeAllConnections();
    this.#http2.destroy();
    await closed.promise;
    this.#stopWatch.abort();
    await this.#watching;
  }
}

const STARTING = new DbError("unavailable", "node_starting", "the node is starting; try again");
const NO_GRPC = new DbError("unsupported", "grpc_method", "there is no gRPC at this address");
const STOPPING = new DbError("unavailable", "node_stopping", "the node is stopping; ask another");

const LISTEN_FAILURES: ReadonlyMap<unknown, string> = new Map([
  ["EACCES", "ports below 1024 are for the system; choose another, or give the program the right"],
  ["EADDRNOTAVAIL", "it is no address of this machine"],
  ["EAI_AGAIN", "nobody says which address the name has"],
  ["ENOTFOUND", "nothing has that name; give a name or address of this machine, and :port"],
]);

function listenError(error: unknown, host: string, port: number): DbError {
  const detail = { host, port };
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "EADDRINUSE") {
    const message = `${host}:${port} is in use: stop the program that listens there, or choose another port`;
    return new DbError("unavailable", "address_in_use", message, { detail });
  }
  const reason = LISTEN_FAILURES.get(code) ?? describeError(error);
  const message = `cannot listen on ${host}:${port}: ${reason}`;
  return new DbError("invalid", "address", message, { detail, cause: error });
}
