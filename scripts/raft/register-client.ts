import { connect, type Socket } from "node:net";
import { readLines, writeLine } from "./lines.ts";

export interface NodeStatus {
  readonly applied: number;
  readonly commit: number;
  readonly role: string;
  readonly term: number;
  readonly leader: number;
  readonly syncCount: number;
}

interface Answer {
  readonly id: number;
  readonly answer?: unknown;
  readonly error?: string;
  readonly leader?: number;
}

/** An ask that was not answered as asked. */
export class AskError extends Error {
  readonly code: string;
  /** Whom the node holds to be the leader; 0 for nobody. */
  readonly leader: number;

  constructor(code: string, leader: number) {
    super(code);
    this.code = code;
    this.leader = leader;
  }

  /** Whether what was asked has not happened, and will not. */
  get refused(): boolean {
    return ["raft_not_leader", "raft_busy", "no_connection"].includes(this.code);
  }
}

interface Connected {
  readonly socket: Socket;
  readonly asked: Map<number, PromiseWithResolvers<unknown>>;
}

/** Asks one register node, on one connection that is made when it is needed; many asks may be on their way at once. */
export class NodeClient implements Disposable {
  readonly #port: number;
  #connected: Promise<Connected> | undefined;
  #socket: Socket | undefined;
  #number = 0;

  constructor(port: number) {
    this.#port = port;
  }

  /** Rejects with an `AskError`: `no_connection` before anything was sent, `connection_lost` after. */
  async ask(ask: unknown): Promise<unknown> {
    this.#connected ??= this.#connect();
    const { asked, socket } = await this.#connected;
    this.#number += 1;
    const id = this.#number;
    const done = Promise.withResolvers<unknown>();
    asked.set(id, done);
    writeLine(socket, { id, ask });
    return done.promise;
  }

  async status(): Promise<NodeStatus> {
    return (await this.ask({ kind: "status" })) as NodeStatus;
  }

  [Symbol.dispose](): void {
    this.#socket?.destroy();
  }

  async #connect(): Promise<Connected> {
    const socket = connect(this.#port, "127.0.0.1");
    this.#socket = socket;
    socket.setNoDelay(true);
    const asked: Connected["asked"] = new Map();
    const connected = Promise.withResolvers<void>();
    socket.once("connect", () => connected.resolve());
    socket.on("error", () => undefined);
    socket.on("close", () => {
      connected.reject(new AskError("no_connection", 0));
      this.#connected = undefined;
      for (const { reject } of asked.values()) reject(new AskError("connection_lost", 0));
    });
    readLines(socket, (line) => {
      const { answer, error, id, leader } = line as Answer;
      const done = asked.get(id);
      asked.delete(id);
      if (error === undefined) done?.resolve(answer);
      else done?.reject(new AskError(error, leader ?? 0));
    });
    await connected.promise;
    return { socket, asked };
  }
}
