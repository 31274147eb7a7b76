import { Agent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as TlsAgent, request as tlsRequest } from "node:https";
import { getCACertificates } from "node:tls";
import { ANSWER_PROOF_HEADER } from "#access/node-call.ts";
import { concatBytes } from "#base/bytes.ts";
import { DbError } from "#base/errors.ts";
import type { Transport, TransportAnswer, TransportRequest } from "#ports/transport.ts";

export interface HttpTransportOptions {
  /** Bytes of an answer; a longer one counts as no answer. */
  readonly answerSizeMax?: number;
  /** Connections to one address. */
  readonly connectionCountMax?: number;
  /** Certificates in PEM that are trusted beside those of the system: of authorities, or of nodes themselves. */
  readonly trusted?: readonly string[];
}

const ANSWER_SIZE_MAX = 64 * 1024 * 1024;
const CONNECTION_COUNT_MAX = 16;
/** Unused connections to one address that stay open. */
const IDLE_COUNT_MAX = 4;

/** Calls between nodes over HTTP/1.1, on connections that stay open between calls; over TLS where an address says `https://`. */
export class HttpTransport implements Transport, Disposable {
  readonly #agent: Agent;
  readonly #tlsAgent: TlsAgent;
  readonly #answerSizeMax: number;

  constructor(options: HttpTransportOptions = {}) {
    this.#answerSizeMax = options.answerSizeMax ?? ANSWER_SIZE_MAX;
    const connections = {
      keepAlive: true,
      maxSockets: options.connectionCountMax ?? CONNECTION_COUNT_MAX,
      maxFreeSockets: IDLE_COUNT_MAX,
    };
    this.#agent = new Agent(connections);
    const { trusted = [] } = options;
    this.#tlsAgent = new TlsAgent({
      ...connections,
      ...(trusted.length > 0 && {
        ca: [...getCACertificates("default"), ...trusted],
        // A node's own certificate vouches for the others that show it, whoever signed it.
        allowPartialTrustChain: true,
      }),
    });
  }

  /**
   * Sends `request` to `address` (`host:port`, an IPv6 host in brackets, perhaps with `https://` before it) once; `timeoutMs` bounds the whole call.
   * Rejects with `unavailable` / `peer_unreachable` when no whole answer came.
   */
  async send(address: string, request: TransportRequest): Promise<TransportAnswer> {
    const timeout = new AbortController();
    const timer = setTimeout(() => {
      timeout.abort(new Error(`no answer in ${request.timeoutMs} ms`));
    }, request.timeoutMs);
    try {
      const response = await this.#open(address, request, timeout.signal);
      const { statusCode: status = 0, headers } = response;
      const proof = headers[ANSWER_PROOF_HEADER];
      const body = await this.#readBody(response);
      return { status, body, ...(typeof proof === "string" && { proof }) };
    } catch (error) {
      const cause: unknown = timeout.signal.aborted ? timeout.signal.reason : error;
      throw new DbError("unavailable", "peer_unreachable", `no answer from ${address}`, {
        detail: { address, path: request.path },
        cause,
      });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Closes all connections; calls that run are rejected. */
  [Symbol.dispose](): void {
    this.#agent.destroy();
    this.#tlsAgent.destroy();
  }

  #open(
    address: string,
    { method, path, body, authorization }: TransportRequest,
    signal: AbortSignal,
  ): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const { host, isTls, port } = splitAddress(address);
    const headers = {
      ...(body !== undefined && { "content-length": body.length }),
      ...(authorization !== undefined && { authorization }),
    };
    const options = { host, port, method, path, headers, signal };
    const call = isTls
      ? tlsRequest({ ...options, agent: this.#tlsAgent })
      : httpRequest({ ...options, agent: this.#agent });
    call.on("response", resolve).on("error", reject).end(body);
    return promise;
  }

  async #readBody(response: IncomingMessage): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    let sizeBytes = 0;
    const chunks: AsyncIterable<Uint8Array> = response;
    for await (const chunk of chunks) {
      sizeBytes += chunk.length;
      // Leaving the loop closes the connection.
      if (sizeBytes > this.#answerSizeMax) {
        throw new Error(`the answer is longer than ${this.#answerSizeMax} bytes`);
      }
      parts.push(chunk);
    }
    return concatBytes(parts);
  }
}

function splitAddress(address: string): { host: string; port: number; isTls: boolean } {
  const [, scheme, host, port] =
    /^(https:\/\/)?\[?([^[\]/]+)\]?:([1-9]\d{0,4})$/.exec(address) ?? [];
  // An empty host or port would reach another program on this machine.
  if (host === undefined) throw new Error("not an address of the form host:port");
  return { host, port: Number(port), isTls: scheme !== undefined };
}
