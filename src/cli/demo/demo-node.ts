import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { DbError } from "#base/errors.ts";
import { type Server, sendForText } from "../client/connection.ts";

export interface DemoNodeOptions {
  /** The launcher to start. */
  readonly program: string;
  readonly nodeId: string;
  readonly mode: string;
  readonly port: number;
  /** The folder both nodes share. */
  readonly directory: string;
}

const READY_MS_MAX = 60_000;
const STOP_MS_MAX = 30_000;
const LAST_LINES_MS_MAX = 500;
const POLL_MS = 100;
const KEPT_LINES_MAX = 20;

/** A node in a child process. */
export class DemoNode implements AsyncDisposable {
  readonly nodeId: string;
  readonly server: Server;
  /** Resolves when the process has ended, with how. */
  readonly ended: Promise<string>;
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  #hasEnded = false;

  constructor({ program, nodeId, mode, port, directory }: DemoNodeOptions) {
    this.nodeId = nodeId;
    this.server = {
      url: `http://127.0.0.1:${port}`,
      headers: {},
      ca: undefined,
      verify: true,
      hint: "the demo's node has stopped",
    };
    const words =
      `serve --node-id ${nodeId} --cluster-id cluster01 --mode ${mode} --object-store file
      --http-bind 127.0.0.1:${port} --without-auth`.split(/\s+/);
    this.#child = spawn(program, [...words, "--data-dir", directory], {
      // The user's variables and .env file are for the user's own nodes.
      cwd: directory,
      env: ownEnvironment(),
      stdio: ["ignore", "pipe", "pipe"],
      // In a group of its own a Ctrl-C meets the demo alone, which then stops its nodes in order.
      detached: true,
    });
    this.ended = this.#watch();
  }

  /** The last lines the process printed. */
  get lastLines(): readonly string[] {
    return this.#lines;
  }

  /** Resolves when the node answers that it is ready; rejects when it ends or takes too long. */
  async ready(signal: AbortSignal): Promise<void> {
    const deadlineMs = performance.now() + READY_MS_MAX;
    let reason: unknown;
    while (!this.#hasEnded && performance.now() < deadlineMs) {
      try {
        await sendForText(this.server, { method: "GET", path: "/ready" });
        return;
      } catch (error) {
        reason = error;
      }
      await sleep(POLL_MS, undefined, { signal });
    }
    throw new DbError("unavailable", "demo_node_not_ready", `${this.nodeId} did not become ready`, {
      cause: reason,
    });
  }

  /** Asks the process to stop, and makes it when it does not. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGTERM");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), STOP_MS_MAX);
    await this.ended;
    clearTimeout(timer);
  }

  async #watch(): Promise<string> {
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on("line", (line) => {
        this.#lines.push(line);
        if (this.#lines.length > KEPT_LINES_MAX) this.#lines.shift();
      });
    }
    const killIt = () => this.#child.kill("SIGKILL");
    process.once("exit", killIt);
    const { promise, resolve } = Promise.withResolvers<string>();
    this.#child.once("error", (error) => resolve(error.message));
    // "close" comes after the last line of output, but not while a process of the node's own holds it open.
    this.#child.once("exit", (code, signal) => {
      const how = `exit ${code ?? signal ?? "unknown"}`;
      const timer = setTimeout(() => resolve(how), LAST_LINES_MS_MAX);
      this.#child.once("close", () => {
        clearTimeout(timer);
        resolve(how);
      });
    });
    const how = await promise;
    this.#hasEnded = true;
    process.off("exit", killIt);
    return how;
  }
}

/** `preferred` when it is free on the loopback address, else any free port. */
export async function freePort(preferred: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const probe = createServer();
  probe.once("error", (error) => {
    if (preferred === 0) reject(error);
    else resolve(freePort(0));
  });
  probe.listen(preferred, "127.0.0.1", () => {
    const address = probe.address();
    const port = typeof address === "object" && address !== null ? address.port : preferred;
    probe.close(() => resolve(port));
  });
  return promise;
}

function ownEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !name.startsWith("INFLUXDB3_") && name !== "LOG_FILTER",
  );
  return Object.fromEntries(kept);
}
