/** A server that plays S3 as a script says, and a store on it. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { S3Config } from "#objectstore/cloud/config.ts";
import type { CloudPorts } from "#objectstore/cloud/requests.ts";
import { openS3Store, type S3Store } from "#objectstore/s3/s3-store.ts";
import { silentLog } from "#ports/log.ts";
import { seededRandom } from "#ports/random.ts";
import { machineClock } from "../http.ts";
import { s3Config } from "./s3-server.ts";

const PORTS: CloudPorts = { clock: machineClock, random: seededRandom(1), log: silentLog };

export interface S3Answer {
  readonly status: number;
  readonly code?: string;
  readonly body?: string;
  /** What the answer says that its body has; the connection breaks where that is more. */
  readonly sizeBytes?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

export type Script = (count: number, request: IncomingMessage) => S3Answer | "silence";

export class S3StandIn implements AsyncDisposable {
  readonly requests: IncomingMessage[] = [];
  readonly #server: Server;
  readonly #parts = new AsyncDisposableStack();
  #store: S3Store | undefined;
  #config: S3Config | undefined;

  static async open(script: Script, some: Partial<S3Config> = {}): Promise<S3StandIn> {
    const world = new S3StandIn(script);
    world.#server.listen(0, "127.0.0.1");
    await once(world.#server, "listening");
    const address = world.#server.address();
    assert.ok(address !== null && typeof address === "object");
    world.#config = s3Config({ endpoint: `http://127.0.0.1:${address.port}`, ...some });
    world.#store = world.#parts.use(await openS3Store(world.#config, PORTS));
    return world;
  }

  constructor(script: Script) {
    this.#server = createServer((request, response) => {
      this.requests.push(request);
      const answer = script(this.requests.length, request);
      request.resume();
      if (answer !== "silence") request.once("end", () => send(answer, response));
    });
    this.#parts.defer(() => {
      this.#server.closeAllConnections();
      this.#server.close();
    });
  }

  get config(): S3Config {
    assert.ok(this.#config !== undefined);
    return this.#config;
  }

  get store(): S3Store {
    assert.ok(this.#store !== undefined);
    return this.#store;
  }

  async nextRequest(): Promise<void> {
    await once(this.#server, "request");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.disposeAsync();
  }
}

function send(answer: S3Answer, response: ServerResponse): void {
  const { body = "", headers = {}, sizeBytes, status } = answer;
  const size = status === 204 ? {} : { "content-length": sizeBytes ?? Buffer.byteLength(body) };
  response.writeHead(status, { ...headers, ...size });
  if (sizeBytes === undefined) response.end(body);
  else response.write(body, () => response.destroy());
}

export function xmlError(status: number, code: string): S3Answer {
  return {
    status,
    code,
    body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>words</Message></Error>`,
  };
}
