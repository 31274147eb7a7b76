/** HTTP/2 on the port of a server for HTTP/1.1. */
import type { Server } from "node:http";
import {
  createServer,
  type Http2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from "node:http2";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { StallWatch } from "./exchange/stall-watch.ts";
import { HEADER_COUNT_MAX, HEADERS_SIZE_MAX, type HttpLimits } from "./options.ts";
import { isClosed } from "./response.ts";

/** What a client of HTTP/2 says first, where nothing was agreed on before: no method of HTTP/1.1 begins so. */
const PREFACE = Buffer.from("PRI");
/** How much of a body a client may send that nobody has read yet. */
const WINDOW_SIZE = 2 ** 20;
/** Megabytes of one connection, beyond which it may begin no more requests. */
const SESSION_MEMORY_MAX = 64;

export interface Http2Options {
  readonly limits: HttpLimits;
  readonly watch: StallWatch;
  /** A request came over `socket`. `expectsContinue`: the client waits for a word before it sends the body. */
  readonly accept: (
    socket: Socket,
    request: Http2ServerRequest,
    response: Http2ServerResponse,
    expectsContinue: boolean,
  ) => void;
}

/** Tells the connections of a server apart by their first bytes, or by what TLS agreed on, and serves those that speak HTTP/2. */
export class Http2Side {
  readonly #options: Http2Options;
  readonly #http2: Http2Server;
  readonly #sessions = new Map<ServerHttp2Session, Socket>();
  /** Those that have not said enough to be told apart. */
  readonly #looking = new Set<Socket>();
  #closed = false;

  constructor(options: Http2Options) {
    this.#options = options;
    this.#http2 = createServer({
      settings: {
        initialWindowSize: WINDOW_SIZE,
        maxConcurrentStreams: options.limits.streamCountMax,
        maxHeaderListSize: HEADERS_SIZE_MAX,
      },
      maxSessionMemory: SESSION_MEMORY_MAX,
      maxHeaderListPairs: HEADER_COUNT_MAX,
    });
    const take =
      (expectsContinue: boolean) => (request: Http2ServerRequest, response: Http2ServerResponse) =>
        this.#take(request, response, expectsContinue);
    this.#http2.on("request", take(false));
    // The word to go on, which Node would give by itself, throws where the client has closed the stream already, and nobody would catch it.
    this.#http2.on("checkContinue", take(true));
  }

  /** From now on takes those connections of `server` that speak HTTP/2. Call it before any comes. */
  share(server: Server, event: "connection" | "secureConnection"): void {
    const [serveHttp1] = server.listeners(event);
    server.removeAllListeners(event);
    server.on(event, (socket: Socket) => {
      const take = (isHttp2: boolean) => {
        if (isHttp2) this.#serve(socket);
        else Reflect.apply(serveHttp1 as () => void, server, [socket]);
      };
      if (socket instanceof TLSSocket) take(socket.alpnProtocol === "h2");
      else this.#look(socket, take);
    });
  }

  /**
   * Asks clients to send no more requests over the connections that are open; those that run go on. Connections that turn out to speak
   * HTTP/2 from now on are cut off.
   */
  close(): void {
    this.#closed = true;
    for (const session of this.#sessions.keys()) session.close();
  }

  /** Cuts all connections off, with those that are not told apart yet. */
  destroy(): void {
    for (const socket of this.#looking) socket.destroy();
    for (const session of this.#sessions.keys()) session.destroy();
  }

  #take(
    request: Http2ServerRequest,
    response: Http2ServerResponse,
    expectsContinue: boolean,
  ): void {
    const { stream } = response;
    const { session } = stream;
    const socket = session && this.#sessions.get(session as ServerHttp2Session);
    // Of a connection that is gone already, or of a client that has left.
    if (socket === undefined || isClosed(stream)) stream.close();
    else this.#options.accept(socket, request, response, expectsContinue);
  }

  #serve(socket: Socket): void {
    if (this.#closed) {
      socket.destroy();
      return;
    }
    this.#http2.once("session", (session) => {
      this.#sessions.set(session, socket);
      session.once("close", () => this.#sessions.delete(session));
    });
    // Sockets of node:http may end one way only; here that is a client that has left.
    socket.allowHalfOpen = false;
    this.#http2.emit("connection", socket);
  }

  /** Waits for as many bytes as tell; those are then read again by whoever serves the connection. */
  #look(socket: Socket, take: (isHttp2: boolean) => void): void {
    const { limits, watch } = this.#options;
    let seen = Buffer.alloc(0);
    const watched = watch.begin(limits.headersMsMax, () => socket.destroy());
    this.#looking.add(socket);
    const stop = () => {
      watched.end();
      this.#looking.delete(socket);
      socket.off("readable", look).off("end", leave).off("error", leave).off("close", leave);
    };
    const leave = () => {
      stop();
      socket.destroy();
    };
    const look = () => {
      const bytes = socket.read() as Buffer | null;
      if (bytes === null) return;
      seen = Buffer.concat([seen, bytes]);
      const length = Math.min(seen.length, PREFACE.length);
      const isHttp2 = seen.subarray(0, length).equals(PREFACE.subarray(0, length));
      if (isHttp2 && length < PREFACE.length) return;
      stop();
      socket.unshift(seen);
      take(isHttp2);
    };
    socket.on("readable", look).on("end", leave).on("error", leave).on("close", leave);
  }
}
