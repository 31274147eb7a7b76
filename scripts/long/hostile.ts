import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { startNode } from "./cluster.ts";
import { describeMs, percentile } from "./figures.ts";
import { HttpClient } from "./http.ts";
import { print } from "./output.ts";
import { isAlive, type Server } from "./server.ts";

const DATABASE = "hostile";
const WRITER_COUNT = 4;
const QUERIER_COUNT = 2;
const PAUSE_MS = 20;
const ROWS_PER_WRITE = 50;
/** What an ordinary client may meet beside all of it, on a machine of two cores that runs both sides. */
const P99_MS_MAX = 2_500;
const RSS_SIZE_MAX = 1.5 * 1024 ** 3;
const FAILURES_MAX = 10;
const WRITE = "/api/v3/write_lp?db=a";

/** Attacks a node for `seconds` in all ways at once, beside ordinary writers and queries; those must not notice. */
export async function runHostile(options: {
  readonly seconds: number;
  readonly idleCount: number;
}): Promise<readonly string[]> {
  await using node = await startNode(["--log-filter", "error"]);
  const test = new HostileTest(node.server);
  return await test.run(options.seconds, options.idleCount);
}

class HostileTest {
  readonly #server: Server;
  readonly #failures: string[] = [];
  readonly #writesMs: number[] = [];
  readonly #queriesMs: number[] = [];
  /** How often each attack met which status; 0: the connection ended without one. */
  readonly #met = new Map<string, Map<number, number>>();
  #rssMost = 0;

  constructor(server: Server) {
    this.#server = server;
  }

  async run(seconds: number, idleCount: number): Promise<readonly string[]> {
    const stop = new AbortController();
    const { pid } = this.#server;
    await this.#server.write(DATABASE, "m,writer=first v=0 1");
    await this.#server.write("a", "m v=1 1");
    const ordinary = [
      ...Array.from({ length: WRITER_COUNT }, (_, index) => this.#writeOn(index, stop.signal)),
      ...Array.from({ length: QUERIER_COUNT }, () => this.#queryOn(stop.signal)),
    ];
    const attacks = this.#attacks(idleCount, stop.signal);
    const endMs = performance.now() + seconds * 1_000;
    while (performance.now() < endMs) {
      await sleep(250);
      this.#rssMost = Math.max(this.#rssMost, residentSize(this.#server));
    }
    stop.abort();
    const written = (await Promise.all(ordinary)).reduce((sum, count) => sum + count, 0);
    await Promise.all(attacks);
    this.#require(isAlive(pid) && this.#server.pid === pid, "the node lives");
    await this.#checkRows(written);
    this.#judge();
    return this.#failures.slice(0, FAILURES_MAX);
  }

  /** Rows acknowledged to one writer. */
  async #writeOn(index: number, signal: AbortSignal): Promise<number> {
    let count = 0;
    while (!signal.aborted) {
      const lines = Array.from(
        { length: ROWS_PER_WRITE },
        (_, row) => `m,writer=w${index} v=${count + row} ${1_000 + count + row}`,
      );
      const ok = await this.#timed(this.#writesMs, "a write", () =>
        this.#server.write(DATABASE, lines.join("\n")),
      );
      if (ok) count += ROWS_PER_WRITE;
      await sleep(PAUSE_MS);
    }
    return count;
  }

  async #queryOn(signal: AbortSignal): Promise<number> {
    while (!signal.aborted) {
      await this.#timed(this.#queriesMs, "a query", () =>
        this.#server.query(DATABASE, "SELECT writer, max(v) AS v FROM m GROUP BY writer"),
      );
      await sleep(PAUSE_MS);
    }
    return 0;
  }

  async #timed(latencies: number[], what: string, work: () => Promise<unknown>): Promise<boolean> {
    const startMs = performance.now();
    try {
      await work();
      latencies.push(performance.now() - startMs);
      return true;
    } catch (error) {
      this.#failures.push(`${what} failed: ${String(error)}`);
      return false;
    }
  }

  #attacks(idleCount: number, signal: AbortSignal): readonly Promise<void>[] {
    const bomb = gzipSync(Buffer.alloc(10_000_000));
    const members = Buffer.concat(Array.from({ length: 300 }, () => gzipSync(Buffer.alloc(1e6))));
    const bad = Buffer.from("x\n".repeat(1_000_000));
    const unfit = Buffer.from('m v="x"\n'.repeat(1_000_000));
    const gzip = { "content-encoding": "gzip" };
    const again = (name: string, body: Uint8Array, headers = {}) =>
      this.#attack(name, signal, () => this.#post(body, headers));
    return [
      again("bomb", Buffer.concat([bomb, bomb]), gzip),
      again("bomb of many members", members, gzip),
      again("a million bad lines", bad),
      again("a million lines that do not fit", unfit),
      this.#attack("endless gzip", signal, () => this.#pour("Content-Encoding: gzip", members)),
      this.#attack("endless body", signal, () => this.#pour("A: b", Buffer.alloc(1e6, "x"))),
      ...Array.from({ length: 30 }, () => this.#drip("Content-Length: 10000000", true, signal)),
      ...Array.from({ length: 30 }, () => this.#drip("x: ", false, signal)),
      this.#idle(idleCount, signal),
    ];
  }

  async #attack(name: string, signal: AbortSignal, once: () => Promise<number>): Promise<void> {
    const met = new Map<number, number>();
    this.#met.set(name, met);
    while (!signal.aborted) {
      const status = await once();
      met.set(status, (met.get(status) ?? 0) + 1);
      await sleep(500);
    }
  }

  /** The status of one request over a connection of its own. */
  async #post(body: Uint8Array, headers: Readonly<Record<string, string>>): Promise<number> {
    using http = new HttpClient(this.#server.url);
    const answer = await http
      .ask({ method: "POST", path: WRITE, body, headers })
      .catch(() => undefined);
    if ((answer?.text.length ?? 0) > 100_000) this.#failures.push("an answer is too large");
    return answer?.status ?? 0;
  }

  /** The status that a body meets which goes on until the server ends it. */
  #pour(header: string, piece: Uint8Array): Promise<number> {
    const { promise, resolve } = Promise.withResolvers<number>();
    const socket = this.#open();
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk.toString();
    });
    socket.on("close", () => resolve(Number(/^HTTP\/1.1 (\d+)/.exec(text)?.[1] ?? 0)));
    socket.write(
      `POST ${WRITE} HTTP/1.1\r\nHost: a\r\n${header}\r\nTransfer-Encoding: chunked\r\n\r\n`,
    );
    const chunk = Buffer.concat([
      Buffer.from(`${piece.length.toString(16)}\r\n`),
      piece,
      Buffer.from("\r\n"),
    ]);
    const more = () => {
      while (!socket.destroyed && socket.write(chunk));
    };
    socket.on("drain", more);
    more();
    return promise;
  }

  /** A byte a second, of headers or of a body; again when the server ends it. */
  async #drip(header: string, ofBody: boolean, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const socket = this.#open();
      socket.resume();
      socket.write(`POST ${WRITE} HTTP/1.1\r\nHost: a\r\n${header}${ofBody ? "\r\n\r\n" : ""}`);
      while (!socket.destroyed && !signal.aborted) {
        socket.write("x");
        await sleep(1_000);
      }
      socket.destroy();
    }
  }

  /** Connections that ask nothing, `count` at a time; new ones for those that the server ends. */
  async #idle(count: number, signal: AbortSignal): Promise<void> {
    const open = new Set<Socket>();
    while (!signal.aborted) {
      for (let added = 0; added < 200 && open.size < count; added++) {
        const socket = this.#open().resume();
        open.add(socket);
        socket.once("close", () => open.delete(socket));
      }
      await sleep(50);
    }
    for (const socket of open) socket.destroy();
  }

  #open(): Socket {
    return connect(this.#server.options.port, "127.0.0.1").on("error", () => undefined);
  }

  /** Nothing acknowledged is missing, and nobody else's rows came along. */
  async #checkRows(written: number): Promise<void> {
    const rows = await this.#server.query(DATABASE, "SELECT count(*) AS n FROM m");
    this.#require(
      rows[0]?.["n"] === written + 1,
      `there are ${written + 1} rows: ${JSON.stringify(rows[0])}`,
    );
  }

  #judge(): void {
    for (const [name, met] of this.#met) {
      const counts = [...met].map(
        ([status, count]) => `${status === 0 ? "cut off" : status} ${count}×`,
      );
      print(`hostile: ${name}: ${counts.join(", ")}`);
      this.#require(
        [...met.keys()].every((status) => status < 500 && status !== 204),
        name,
      );
    }
    print(`hostile: ${this.#writesMs.length} writes beside: ${describeMs(this.#writesMs)}`);
    print(`hostile: ${this.#queriesMs.length} queries beside: ${describeMs(this.#queriesMs)}`);
    print(`hostile: resident at most ${Math.round(this.#rssMost / 2 ** 20)} MiB, all processes`);
    for (const latencies of [this.#writesMs, this.#queriesMs])
      this.#require(percentile(latencies, 0.99) <= P99_MS_MAX, `p99 within ${P99_MS_MAX} ms`);
    this.#require(this.#rssMost <= RSS_SIZE_MAX, "memory is bounded");
  }

  #require(holds: boolean, what: string): void {
    if (!holds) this.#failures.push(`does not hold: ${what}`);
  }
}

/** Bytes that the processes of a node have resident. */
function residentSize(server: Server): number {
  const pids = [server.pid, server.enginePid()].filter((pid) => pid !== undefined);
  return pids.reduce((sum, pid) => {
    const text = readFileSync(`/proc/${pid}/status`, "utf8");
    return sum + 1024 * Number(/VmRSS:\s+(\d+)/.exec(text)?.[1] ?? 0);
  }, 0);
}
