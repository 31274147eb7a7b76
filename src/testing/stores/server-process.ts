import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { machineClock } from "../http.ts";

const STOP_MS_MAX = 5_000;
const POLL_MS = 50;
const TAIL_SIZE = 2_000;

/** A server that a test runs beside itself, its output in a file. */
export class ServerProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #logPath: string;
  readonly #ended: Promise<void>;
  readonly #killNow: () => void;
  #hasEnded = false;

  constructor(program: string, words: readonly string[], logPath: string) {
    const log = openSync(logPath, "w");
    this.#child = spawn(program, words, { stdio: ["ignore", log, log] });
    closeSync(log);
    this.#logPath = logPath;
    this.#killNow = () => void this.#child.kill("SIGKILL");
    // A test that is cut short leaves no server behind.
    process.once("exit", this.#killNow);
    const { promise, resolve } = Promise.withResolvers<void>();
    const end = () => {
      this.#hasEnded = true;
      resolve();
    };
    this.#child.once("exit", end);
    this.#child.once("error", end);
    this.#ended = promise;
  }

  get ended(): boolean {
    return this.#hasEnded;
  }

  /** Resolves once `isUp` does with true; rejects with the last that the server said when it ends before that, or time does. */
  async untilUp(isUp: () => Promise<boolean>, withinMs: number): Promise<void> {
    const endMs = machineClock.monotonicMs() + withinMs;
    while (!(await isUp())) {
      const isLate = machineClock.monotonicMs() > endMs;
      if (isLate || this.#hasEnded) {
        const tail = readFileSync(this.#logPath, "utf8").slice(-TAIL_SIZE);
        throw new Error(`the server ${isLate ? "is not up yet" : "ended"}: ${tail}`);
      }
      await machineClock.sleep(POLL_MS);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    process.off("exit", this.#killNow);
    if (this.#hasEnded) return;
    this.#child.kill("SIGTERM");
    await Promise.race([this.#ended, machineClock.sleep(STOP_MS_MAX)]);
    this.#child.kill("SIGKILL");
    await this.#ended;
  }
}

/** A server that was started for a test, at `url`. */
export interface StartedServer extends AsyncDisposable {
  readonly url: string;
}

/**
 * Starts a server that Node runs, with the words that `wordsOf` makes of a port and a folder of its own; `name` is in the folder's.
 * Resolves when anything answers there; rejects, and leaves nothing behind, when nothing does within `withinMs`.
 */
export async function startServer(
  name: string,
  withinMs: number,
  wordsOf: (port: number, directory: string) => readonly string[],
): Promise<StartedServer> {
  const directory = await mkdtemp(join(tmpdir(), `tidelake-${name}-`));
  const port = await freePort();
  const words = wordsOf(port, directory);
  const server = new ServerProcess(process.execPath, words, join(directory, "out"));
  const stop = async () => {
    await server[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  };
  const url = `http://127.0.0.1:${port}`;
  try {
    await server.untilUp(() => answersAt(url), withinMs);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, [Symbol.asyncDispose]: stop };
}

/** A port that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("the port has no number");
  return address.port;
}

/** Whether anything answers at `url`, whatever it says. */
export async function answersAt(url: string): Promise<boolean> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    await answer.arrayBuffer();
    return true;
  } catch {
    return false;
  }
}
