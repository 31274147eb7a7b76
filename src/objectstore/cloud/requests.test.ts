import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { DbError } from "#base/errors.ts";
import { HandClock, settle } from "#testing/hand-clock.ts";
import { s3Config } from "#testing/stores/s3-server.ts";
import { CloudRequests } from "./requests.ts";

function open(connectionCountMax: number) {
  const clock = new HandClock();
  const requests = new CloudRequests({
    config: s3Config({ connectionCountMax, requestTimeoutMs: 1_000 }),
    place: "the bucket 'data'",
    clock,
    refusalOf: (error) => ({ status: 503, code: "SlowDown", text: String(error) }),
  });
  return { clock, requests };
}

suite("CloudRequests", () => {
  test("sends so many at once, and the others in the order they came", async () => {
    const { clock, requests } = open(2);
    const ends: (() => void)[] = [];
    const begun: string[] = [];
    const all = ["a", "b", "c", "d"].map((key) =>
      requests.run(key, () => {
        begun.push(key);
        return new Promise<void>((resolve) => {
          ends.push(resolve);
        });
      }),
    );
    await settle();
    assert.deepEqual(begun, ["a", "b"]);
    ends[0]?.();
    await settle();
    assert.deepEqual(begun, ["a", "b", "c"]);
    for (const number of [1, 2, 3]) {
      ends[number]?.();
      await settle();
    }
    await Promise.all(all);
    assert.deepEqual(begun, ["a", "b", "c", "d"]);
    assert.equal(clock.sleeperCount, 0);
  });

  test("a sign of life waits for no other request", async () => {
    const { requests } = open(1);
    const file = Promise.withResolvers<void>();
    const all = [
      requests.run("data/a", () => file.promise),
      requests.run("data/b", async () => {}),
    ];
    const key = "cluster01/office/heartbeat";
    assert.equal(await requests.run(key, async () => "heard"), "heard");
    file.resolve();
    await Promise.all(all);
  });

  test("ends a request that takes too long, and the signal it was given", async () => {
    const { clock, requests } = open(1);
    let given: AbortSignal | undefined;
    const late = requests.run("a", (signal) => {
      given = signal;
      return new Promise<void>(() => undefined);
    });
    const next = requests.run("b", async () => "answer");
    const lateEnds = assert.rejects(late, { code: "store_unreachable", message: /within 1000 ms/ });
    await clock.advance(999);
    assert.equal(given?.aborted, false);
    await clock.advance(1);
    await lateEnds;
    assert.equal(given?.aborted, true);
    assert.equal(await next, "answer");
    assert.equal(clock.sleeperCount, 0);
  });

  test("leaves the signal of an answered request alone", async () => {
    const { requests } = open(1);
    let given: AbortSignal | undefined;
    await requests.run("a", async (signal) => {
      given = signal;
    });
    await settle();
    assert.equal(given?.aborted, false);
  });

  test("passes an error of ours on, and explains any other", async () => {
    const { requests } = open(1);
    const own = new DbError("conflict", "object_exists", "It is there.");
    await assert.rejects(
      requests.run("a", () => Promise.reject(own)),
      own,
    );
    await assert.rejects(
      requests.run("a", () => Promise.reject(new Error("words"))),
      { code: "store_unreachable", message: /the bucket 'data' \(503 SlowDown: Error: words\)/ },
    );
  });
});
