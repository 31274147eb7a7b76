import { assert, DbError } from "#base/errors.ts";
import { describable, parseLines } from "#lineprotocol/parse.ts";
import type { ParsedBody, ParseOptions } from "#lineprotocol/parsed.ts";
import type { FlushBlock } from "#model/flush.ts";
import type { Log } from "#ports/log.ts";
import { ThreadLink } from "#threads/thread-link.ts";
import { PlainBody, plainStage } from "../plain-stage.ts";
import type { Stage, StagedBody, StagedRows } from "../stage.ts";
import type { BodyLooks, Calls, RowsThere } from "./messages.ts";

type StageThread = ThreadLink<Calls>;

/** Smaller bodies are read at once in the caller's thread: sending them would take as long. */
const BODY_SIZE_MIN = 128 * 1024;
const THREAD = new URL("./stage-thread.ts", import.meta.url);

/**
 * Keeps large bodies in a thread of its own, so that this one has time for others. What it answers is what the plain stage does.
 *
 * Callers bound how many bodies wait: the thread takes them in the order they come.
 */
export class WorkerStage implements Stage, AsyncDisposable {
  readonly #log: Log;
  readonly #file: URL;
  #thread: StageThread | undefined;
  #lastBodyId = 0;
  #closed = false;

  /** `file` is what runs in the thread. */
  constructor(log: Log, file = THREAD) {
    this.#log = log;
    this.#file = file;
  }

  async parse(body: Uint8Array, options: ParseOptions): Promise<StagedBody> {
    if (body.length < BODY_SIZE_MIN || this.#closed) return new BodyHere(body, options);
    if (this.#thread?.lost !== false) this.#thread = startThread(this.#file, this.#log);
    return this.#send(this.#thread, ownMemory(body), options);
  }

  async encode(parts: readonly StagedRows[]): Promise<readonly FlushBlock[]> {
    const there = parts.map(({ body }) => body).filter((body) => body instanceof BodyThere);
    // Where bodies are in two threads, one is lost.
    for (const { thread } of there) thread.throwIfLost();
    const thread = there[0]?.thread;
    if (thread === undefined) return plainStage.encode(parts);
    const sent = new Map<StagedBody, SentAgain>();
    const idOf = (body: StagedBody) => {
      if (body instanceof BodyThere) return body.id;
      const again = sent.get(body) ?? this.#sendAgain(body, thread);
      sent.set(body, again);
      return again.id;
    };
    const rows = parts.map(({ body, ...rest }): RowsThere => ({ bodyId: idOf(body), ...rest }));
    try {
      const encoded = thread.call("encode", { parts: rows });
      // Where a body cannot be read there, that is what is told, and comes first.
      const [blocks] = await Promise.all([encoded, ...[...sent.values()].map(({ read }) => read)]);
      return blocks;
    } finally {
      release(
        thread,
        [...sent.values()].map(({ id }) => id),
      );
    }
  }

  /** Ends the thread; what waits is rejected. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.#thread?.[Symbol.asyncDispose]();
  }

  async #send(thread: StageThread, body: Uint8Array, options: ParseOptions): Promise<StagedBody> {
    const bodyId = this.#nextBodyId();
    const own = ownMemory(body);
    const looks = await thread.call("parse", { bodyId, body: own, options }, [own.buffer]);
    return new BodyThere(thread, bodyId, looks);
  }

  /** Has the thread read a body that is here, so that its rows can ride with others there. */
  #sendAgain(body: StagedBody, thread: StageThread): SentAgain {
    assert(body instanceof BodyHere, "a body is encoded where it was parsed");
    const id = this.#nextBodyId();
    return { id, read: thread.call("parse", { bodyId: id, ...body.source }) };
  }

  #nextBodyId(): number {
    this.#lastBodyId += 1;
    return this.#lastBodyId;
  }
}

/** A body that is here, on its way to the thread as well. */
interface SentAgain {
  readonly id: number;
  readonly read: Promise<unknown>;
}

/** A small body, and what it was read from. */
class BodyHere extends PlainBody {
  readonly source: { readonly body: Uint8Array<ArrayBuffer>; readonly options: ParseOptions };

  constructor(body: Uint8Array, options: ParseOptions) {
    super(parseLines(body, options));
    this.source = { body: ownMemory(body), options };
  }
}

/** A body whose rows are in the thread. */
class BodyThere implements StagedBody {
  readonly thread: StageThread;
  readonly id: number;
  readonly tables: BodyLooks["tables"];
  readonly rejected: BodyLooks["rejected"];
  readonly rejectedCount: number;
  readonly lineCount: number;
  /** Whoever parsed it, and those who hold it. */
  #holderCount = 1;

  constructor(thread: StageThread, id: number, looks: BodyLooks) {
    this.thread = thread;
    this.id = id;
    this.tables = looks.tables;
    this.rejected = looks.rejected;
    this.rejectedCount = looks.rejectedCount;
    this.lineCount = looks.lineCount;
  }

  async parsed(): Promise<ParsedBody> {
    const { body, parts } = await this.thread.call("parsed", { bodyId: this.id });
    return describable(body, parts);
  }

  hold(): () => void {
    this.#holderCount += 1;
    return () => this.#leave();
  }

  [Symbol.dispose](): void {
    this.#leave();
  }

  #leave(): void {
    this.#holderCount -= 1;
    if (this.#holderCount === 0) release(this.thread, [this.id]);
  }
}

function startThread(file: URL, log: Log): StageThread {
  return new ThreadLink({
    file,
    name: "reads line protocol",
    log,
    lostError: (cause) =>
      new DbError(
        "unavailable",
        "parser_restarted",
        "the thread that reads line protocol ended and is started again: nothing of the body was stored, send it again",
        { cause },
      ),
  });
}

function release(thread: StageThread, bodyIds: readonly number[]): void {
  // A thread that is lost has let go of them.
  if (bodyIds.length > 0) thread.call("release", { bodyIds }).catch(() => undefined);
}

/** `body` with memory of its own, which can be given away. */
function ownMemory(body: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer, byteLength } = body;
  const whole = buffer instanceof ArrayBuffer && buffer.byteLength === byteLength;
  // A Buffer has methods that are lost on the way, and whose memory may be marked as not to be given away.
  return whole && !Buffer.isBuffer(body) ? new Uint8Array(buffer) : new Uint8Array(body);
}
