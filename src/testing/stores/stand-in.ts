import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

/** A server that answers every request as a test says, and knows what it was sent. */
export class StandIn implements AsyncDisposable {
  /** Method and path of each request, as they came. */
  readonly requests: string[] = [];
  readonly #server: Server;

  static async open(answer: Answer): Promise<StandIn> {
    const standIn = new StandIn(answer);
    standIn.#server.listen(0, "127.0.0.1");
    await once(standIn.#server, "listening");
    return standIn;
  }

  private constructor(answer: Answer) {
    this.#server = createServer((request, response) => {
      this.requests.push(`${request.method} ${request.url}`);
      // The whole body first: a request that is cut short may be sent once more by right.
      request.resume().once("end", () => answer(response, request));
    });
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
