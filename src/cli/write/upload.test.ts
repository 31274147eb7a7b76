import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { DbError } from "#base/errors.ts";
import type { Batch, Place } from "./batches.ts";
import { Upload } from "./upload.ts";

const SIZE = 10;

function place(at: number): Place {
  return { byte: at, line: at + 1 };
}

/** Batch `index` of lines of a byte each. */
function batch(index: number): Batch {
  return {
    bytes: new Uint8Array(SIZE),
    start: place(index * SIZE),
    end: place((index + 1) * SIZE),
    rowCount: SIZE,
    final: false,
  };
}

async function* batches(count: number): AsyncGenerator<Batch> {
  for (let index = 0; index < count; index += 1) yield batch(index);
}

async function* broken(): AsyncGenerator<Batch> {
  yield batch(0);
  throw new Error("the disk");
}

/** An upload whose batches are stored, or fail, when the test says so. */
class Trial {
  readonly sent: number[] = [];
  readonly aborter = new AbortController();
  readonly upload: Upload;
  readonly #answers = new Map<number, PromiseWithResolvers<void>>();

  constructor(concurrency: number) {
    this.upload = new Upload({
      concurrency,
      signal: this.aborter.signal,
      send: ({ start }) => {
        const index = start.byte / SIZE;
        this.sent.push(index);
        const answer = Promise.withResolvers<void>();
        this.#answers.set(index, answer);
        return answer.promise;
      },
    });
  }

  async store(...indexes: readonly number[]): Promise<void> {
    for (const index of indexes) {
      this.#answers.get(index)?.resolve();
      await turn();
    }
  }

  async fail(index: number, error: Error): Promise<void> {
    this.#answers.get(index)?.reject(error);
    await turn();
  }
}

suite("an upload", () => {
  test("one at a time keeps the order of the input", async () => {
    const trial = new Trial(1);
    const running = trial.upload.run(batches(3));
    for (const index of [0, 1, 2]) {
      await turn();
      assert.deepEqual(trial.sent, [0, 1, 2].slice(0, index + 1));
      await trial.store(index);
    }
    assert.equal(await running, true);
    assert.deepEqual(trial.upload.stored, { byte: 30, line: 31 });
    assert.deepEqual([trial.upload.rowCount, trial.upload.byteCount], [30, 30]);
  });

  test("sends as many at a time as it may, and knows where the first gap is", async () => {
    const trial = new Trial(3);
    const running = trial.upload.run(batches(5));
    await turn();
    assert.deepEqual(trial.sent, [0, 1, 2]);
    await trial.store(2, 1);
    assert.deepEqual(trial.sent, [0, 1, 2, 3, 4]);
    assert.equal(trial.upload.stored?.line, 1);
    assert.equal(trial.upload.isExact, false);
    await trial.store(0);
    assert.equal(trial.upload.stored?.line, 31);
    await trial.store(3, 4);
    assert.equal(await running, true);
    assert.equal(trial.upload.isExact, true);
  });

  test("one batch that is not answered keeps the others from running far ahead", async () => {
    const trial = new Trial(2);
    const running = trial.upload.run(batches(100));
    await turn();
    for (let index = 1; index < 100; index += 1) await trial.store(index);
    assert.equal(trial.sent.length, 8);
    await trial.store(0);
    for (let index = 1; index < 100; index += 1) await trial.store(index);
    assert.equal(await running, true);
  });

  test("a failure ends it when all that is on its way is answered", async () => {
    const trial = new Trial(3);
    const running = trial.upload.run(batches(9));
    const ended = running.then(
      () => assert.fail("it failed"),
      (error: unknown) => String(error),
    );
    await turn();
    await trial.store(0);
    await trial.fail(1, new Error("first"));
    await trial.fail(3, new Error("second"));
    await trial.store(2);
    assert.equal(await ended, "Error: first");
    assert.deepEqual(trial.sent, [0, 1, 2, 3]);
    assert.deepEqual(trial.upload.stored, { byte: 10, line: 11 });
  });

  const failures: readonly [string, Error, boolean][] = [
    ["a lost answer", new DbError("unavailable", "server_unreachable", ""), false],
    ["503", new DbError("unavailable", "server_refused", "", { detail: { status: 503 } }), false],
    ["401", new DbError("denied", "server_refused", "", { detail: { status: 401 } }), true],
  ];
  for (const [name, error, isExact] of failures) {
    test(`after ${name} it is ${isExact ? "known" : "not known"} whether more is stored`, async () => {
      const trial = new Trial(1);
      const running = trial.upload.run(batches(3));
      await turn();
      await Promise.all([assert.rejects(running), trial.fail(0, error)]);
      assert.equal(trial.upload.isExact, isExact);
    });
  }

  test("a signal ends it when what is on its way is stored", async () => {
    const trial = new Trial(2);
    const running = trial.upload.run(batches(9));
    await turn();
    trial.aborter.abort();
    await trial.store(1, 0);
    assert.equal(await running, false);
    assert.deepEqual(trial.sent, [0, 1]);
    assert.equal(trial.upload.stored?.line, 21);
    assert.equal(trial.upload.isExact, true);
  });

  test("an input that breaks is a failure, behind which nothing is lost", async () => {
    const trial = new Trial(2);
    const running = trial.upload.run(broken());
    const ended = assert.rejects(running, /the disk/);
    await turn();
    await trial.store(0);
    await ended;
    assert.equal(trial.upload.stored?.line, 11);
  });
});
