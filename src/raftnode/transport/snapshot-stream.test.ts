import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { suite, test } from "node:test";
import { fromUtf8 } from "#base/bytes.ts";
import type { Clock } from "#ports/clock.ts";
import { message, peerId } from "#raft/message.ts";
import { realClock } from "#testing/raft/real.ts";
import { connectionOf } from "./connection.ts";
import { encodeFrame, FrameReader } from "./frame.ts";
import { encodeMessage } from "./message-codec.ts";
import { readSnapshot } from "./snapshot-stream.ts";

const ONE = peerId(1);

/** Sends a snapshot whose state is in `count` chunks of `size`, for each of which four seconds are waited; answers what is said of it, and its size there. */
async function send(count: number, size: number): Promise<{ said: string; sizeBytes: number }> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const accepted = once(server, "connection");
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const [peer] = (await accepted) as [Socket];
  try {
    let sizeBytes = 0;
    const events = {
      message: () => undefined,
      unreachable: () => undefined,
      gone: () => undefined,
      snapshot: async (_: unknown, chunks: AsyncIterable<Uint8Array>) => {
        for await (const chunk of chunks) sizeBytes += chunk.length;
      },
    };
    const limits = { clock: slowClock(), signal: new AbortController().signal };
    const reading = readSnapshot(connectionOf(peer), ONE, events, limits);
    const sent = message({ kind: "snapshot", from: ONE, to: peerId(2), term: 1 });
    socket.write(encodeFrame(encodeMessage(sent)));
    const chunk = encodeFrame(new Uint8Array(size));
    for (let index = 0; index < count; index += 1) socket.write(chunk);
    socket.write(encodeFrame(new Uint8Array()));
    const answer = await new FrameReader(socket).next();
    await reading;
    return { said: fromUtf8(answer ?? new Uint8Array()), sizeBytes };
  } finally {
    socket.destroy();
    peer.destroy();
    server.close();
  }
}

/** Four seconds pass from one look to the next. */
function slowClock(): Clock {
  let nowMs = 0;
  return {
    ...realClock,
    monotonicMs: () => {
      nowMs += 4_000;
      return nowMs;
    },
  };
}

suite("a snapshot on its way to a raft peer", () => {
  test("is taken, however large, as long as it comes at some rate", async () => {
    const size = 256 * 1024;
    assert.deepEqual(await send(60, size), { said: "stored", sizeBytes: 60 * size });
  });

  test("is given up where it comes by the byte", async () => {
    const { said, sizeBytes } = await send(60, 1);
    assert.match(said, /too slowly: \d+ bytes in 64000 ms/);
    assert.ok(sizeBytes < 20, `${sizeBytes} bytes came`);
  });
});
