/** A server that answers commands as a test says. */
import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Run, type RunOptions, run } from "./run.ts";

/** What a command sent. */
export interface Sent {
  readonly line: string;
  readonly body: string;
  readonly authorization: string | undefined;
}

export class AnsweringServer implements AsyncDisposable {
  /** Answers a request when all of it is there. */
  answer: (response: ServerResponse) => void = (response) => response.writeHead(500).end();
  readonly #server: Server;
  #sent: Sent[] = [];

  static async open(): Promise<AnsweringServer> {
    const answering = new AnsweringServer();
    answering.#server.listen(0, "127.0.0.1");
    await once(answering.#server, "listening");
    return answering;
  }

  private constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        this.#sent.push({
          line: `${request.method} ${request.url}`,
          body: Buffer.concat(chunks).toString(),
          authorization: request.headers.authorization,
        });
        this.answer(response);
      });
    });
  }

  /** `host:port`. */
  get host(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `127.0.0.1:${port}`;
  }

  /** Runs `words` against this server, which answers with `status` and `body`; and what it sent first. */
  async call(
    words: readonly string[],
    status: number,
    body: string,
    options?: RunOptions,
  ): Promise<Run & { readonly request: Sent | undefined }> {
    this.#sent = [];
    this.answer = (response) => response.writeHead(status).end(body);
    const result = await run([...words, "--host", this.host], options);
    return { ...result, request: this.#sent[0] };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
