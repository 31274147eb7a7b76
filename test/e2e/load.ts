/** Writers that note what was acknowledged, and the check that it is all there, once. */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually, type TestNode } from "./cluster.ts";

const DATABASE = "load";
const REFUSED_PAUSE_MS = 20;

/** Rows that a node has said it keeps. */
export class Acknowledged {
  /** Of each writer, the values of its acknowledged rows. */
  readonly #values = new Map<number, Set<number>>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  note(writer: number, value: number): void {
    const values = this.#values.get(writer) ?? new Set();
    this.#values.set(writer, values.add(value));
    this.#count += 1;
  }

  /** Fails unless `node` shows each row that was acknowledged before this call once, and no row twice. */
  async check(node: TestNode): Promise<void> {
    await this.#check(node, this.#names());
  }

  /** As `check`, where `node` may be some time behind, or not answer for now. */
  async checkSoon(node: TestNode, withinMs = 20_000): Promise<void> {
    // Once: while writers run, some row is always younger than the node's last look.
    const expected = this.#names();
    let last: unknown;
    const checked = async () => {
      try {
        await this.#check(node, expected);
        return true;
      } catch (error) {
        if (!/are missing|query: 503|fetch failed/.test(String(error))) throw error;
        last = error;
        return undefined;
      }
    };
    await eventually(checked, { what: "all acknowledged rows", withinMs }).catch(
      (error: unknown) => {
        throw new Error(`${String(error)}: ${String(last)}`);
      },
    );
  }

  #names(): readonly string[] {
    return [...this.#values].flatMap(([writer, values]) =>
      [...values].map((value) => `${writer}/${value}`),
    );
  }

  async #check(node: TestNode, expected: readonly string[]): Promise<void> {
    const rows = await node.rows(DATABASE, "SELECT w, v, doubled FROM m");
    const found = new Set<string>();
    for (const { w: writer, v: value, doubled } of rows) {
      const name = `${String(writer)}/${String(value)}`;
      assert.ok(!found.has(name), `row ${name} is there twice`);
      assert.equal(doubled, 2 * Number(value), `row ${name} is whole`);
      found.add(name);
    }
    const missing = expected.filter((name) => !found.has(name));
    assert.deepEqual(missing, [], "acknowledged rows are missing");
  }
}

/** Writers that run until they are stopped; what is refused is tried no more. */
export class Writers implements AsyncDisposable {
  /** What refused writes were told. */
  readonly refusals: string[] = [];
  readonly #node: () => TestNode;
  readonly #acknowledged: Acknowledged;
  readonly #running: Promise<void>;
  #stopped = false;

  /** `count` of them write to `node`; they are numbered from `first`. */
  constructor(node: () => TestNode, acknowledged: Acknowledged, count: number, first = 0) {
    this.#node = node;
    this.#acknowledged = acknowledged;
    const writers = Array.from({ length: count }, (_, writer) => this.#run(first + writer));
    this.#running = Promise.all(writers).then(() => undefined);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #run(writer: number): Promise<void> {
    for (let value = 1; !this.#stopped; value++) {
      const line = `m,w=${writer} v=${value}i,doubled=${2 * value}i ${value}`;
      try {
        await this.#node().write(DATABASE, line);
        this.#acknowledged.note(writer, value);
      } catch (error) {
        this.refusals.push(String(error).replace(/^Error: write: /, ""));
        await sleep(REFUSED_PAUSE_MS);
      }
    }
  }
}
