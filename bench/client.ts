import { connect, type Socket } from "node:net";

export interface Reply {
  readonly status: number;
  readonly text: string;
}

export interface Request {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly contentType?: string;
  readonly body?: Uint8Array;
}

interface Waiting extends PromiseWithResolvers<Reply> {
  /** The body has left; until then its memory must not change. */
  sent: boolean;
  reply: Reply | undefined;
}

const TIMEOUT_MS = 120_000;
const HEAD_END = "\r\n\r\n";

/**
 * One connection with one request on its way. It costs a fraction of node:http: on one machine, what the client uses is missing at the
 * node.
 */
export class Connection implements Disposable {
  readonly #port: number;
  #socket: Socket | undefined;
  #received: Buffer = Buffer.alloc(0);
  #waiting: Waiting | undefined;

  constructor(port: number) {
    this.#port = port;
  }

  /** Resolves with the answer, whatever its status, when the body's memory is free again; rejects when the connection breaks. */
  ask({ body, contentType = "text/plain", method, path }: Request): Promise<Reply> {
    const socket = this.#open();
    const waiting = { ...Promise.withResolvers<Reply>(), sent: false, reply: undefined };
    this.#waiting = waiting;
    this.#received = Buffer.alloc(0);
    socket.cork();
    socket.write(
      `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: ${contentType}\r\nContent-Length: ${body?.length ?? 0}${HEAD_END}`,
      "latin1",
    );
    socket.write(body ?? new Uint8Array(), () => {
      waiting.sent = true;
      this.#settle();
    });
    socket.uncork();
    return waiting.promise;
  }

  [Symbol.dispose](): void {
    this.#socket?.destroy();
  }

  #open(): Socket {
    if (this.#socket !== undefined && !this.#socket.destroyed) return this.#socket;
    const socket = connect({ host: "127.0.0.1", port: this.#port, noDelay: true });
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error("no answer in time")));
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    socket.on("error", (error) => this.#fail(error));
    socket.on("close", () => this.#fail(new Error("the connection was closed")));
    this.#socket = socket;
    return socket;
  }

  #fail(error: Error): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting?.reply !== undefined) waiting.resolve(waiting.reply);
    else waiting?.reject(error);
  }

  #take(chunk: Buffer): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    waiting.reply ??= parseReply(this.#received);
    this.#settle();
  }

  #settle(): void {
    const waiting = this.#waiting;
    if (waiting?.reply === undefined || !waiting.sent) return;
    this.#waiting = undefined;
    waiting.resolve(waiting.reply);
  }
}

/** The answer; undefined while it is not whole. */
function parseReply(bytes: Buffer): Reply | undefined {
  const headEnd = bytes.indexOf(HEAD_END);
  if (headEnd < 0) return undefined;
  const head = bytes.toString("latin1", 0, headEnd);
  const status = Number(head.slice(9, 12));
  const rest = bytes.subarray(headEnd + HEAD_END.length);
  if (status === 100) return parseReply(rest);
  if (/^transfer-encoding: *chunked/im.test(head)) {
    const text = joinChunks(rest);
    return text === undefined ? undefined : { status, text };
  }
  const sizeBytes = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
  return rest.length < sizeBytes
    ? undefined
    : { status, text: rest.toString("utf8", 0, sizeBytes) };
}

function joinChunks(bytes: Buffer): string | undefined {
  const parts: Buffer[] = [];
  for (let at = 0; ; ) {
    const lineEnd = bytes.indexOf("\r\n", at);
    if (lineEnd < 0) return undefined;
    const sizeBytes = Number.parseInt(bytes.toString("latin1", at, lineEnd), 16);
    const start = lineEnd + 2;
    if (bytes.length < start + sizeBytes + 2) return undefined;
    if (sizeBytes === 0) return Buffer.concat(parts).toString("utf8");
    parts.push(bytes.subarray(start, start + sizeBytes));
    at = start + sizeBytes + 2;
  }
}
