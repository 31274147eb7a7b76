import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { DbError } from "#base/errors.ts";
import { type Message, message, peerId } from "#raft/message.ts";
import { decodeMessage, encodeMessage } from "./message-codec.ts";

suite("the bytes of messages between peers", () => {
  test("are read as they were sent, whatever they hold", () => {
    const whole = fc.maxSafeNat();
    const peer = whole.map(peerId);
    const peers = fc.array(peer, { maxLength: 3 });
    const data = fc.uint8Array({ maxLength: 20 });
    const configuration = fc.record({
      voters: peers,
      votersOutgoing: peers,
      learners: peers,
      learnersNext: peers,
      autoLeave: fc.boolean(),
    });
    const entries = fc
      .tuple(
        fc.integer({ min: 1, max: 2 ** 40 }),
        fc.array(fc.record({ term: whole, data }), { maxLength: 4 }),
      )
      .map(([first, list]) =>
        list.map((entry, position) => ({
          ...entry,
          index: first + position,
          kind: "normal" as const,
        })),
      );
    // All that a message has, but what is for a node's own storage.
    const any: fc.Arbitrary<Omit<Message, "responses">> = fc.record({
      kind: fc.constantFrom(
        "append" as const,
        "vote" as const,
        "snapshot" as const,
        "read_index" as const,
      ),
      from: peer,
      to: peer,
      term: whole,
      index: whole,
      logTerm: whole,
      commit: whole,
      vote: peer,
      hintIndex: whole,
      rejected: fc.boolean(),
      forced: fc.boolean(),
      context: fc.string(),
      entries,
      committed: fc.option(fc.record({ index: whole, term: whole }), { nil: undefined }),
      snapshot: fc.option(fc.record({ index: whole, term: whole, configuration, data }), {
        nil: undefined,
      }),
    });
    fc.assert(
      fc.property(any, (draft) => {
        const sent = message(draft);
        const bytes = encodeMessage(sent);
        const read = decodeMessage(bytes);
        assert.deepEqual(read, structuredClone(sent));
        for (let size = 0; size < bytes.length; size++)
          assert.throws(() => decodeMessage(bytes.slice(0, size)), DbError);
      }),
      { numRuns: 50 },
    );
    const proposed = message({
      kind: "propose",
      to: peerId(1),
      entries: [1, 2].map(() => ({ kind: "normal", data: new Uint8Array(1), term: 0, index: 0 })),
    });
    assert.deepEqual(
      decodeMessage(encodeMessage(proposed)).entries.map(({ index }) => index),
      [0, 0],
    );
  });
});
