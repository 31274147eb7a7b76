import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { suite, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { connect as connectSecure } from "node:tls";
import { concatBytes } from "#base/bytes.ts";
import { silentLog } from "#ports/log.ts";
import { type Message, message, peerId } from "#raft/message.ts";
import { realClock, realRandom } from "#testing/raft/real.ts";
import type { TlsOptions } from "./connection.ts";
import { encodeFrame } from "./frame.ts";
import { TcpTransport, type TcpTransportOptions } from "./tcp-transport.ts";

const ONE = peerId(1);
const TWO = peerId(2);

interface Peer extends AsyncDisposable {
  readonly transport: TcpTransport;
  readonly received: Message[];
  readonly snapshots: Uint8Array[];
  readonly gone: number[];
  unreachableCount: number;
}

async function startPeer(self: number, options: Partial<TcpTransportOptions> = {}): Promise<Peer> {
  const transport = new TcpTransport({
    self: peerId(self),
    group: "test",
    secret: undefined,
    tls: undefined,
    host: "127.0.0.1",
    port: 0,
    clock: realClock,
    random: realRandom,
    log: silentLog,
    ...options,
  });
  const peer: Peer = {
    transport,
    received: [],
    snapshots: [],
    gone: [],
    unreachableCount: 0,
    [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose](),
  };
  await transport.start({
    message: (received) => void peer.received.push(received),
    snapshot: async (_, chunks) => {
      peer.snapshots.push(concatBytes(await Array.fromAsync(chunks)));
    },
    unreachable: () => {
      peer.unreachableCount += 1;
    },
    gone: (from) => void peer.gone.push(from),
  });
  return peer;
}

function join(from: Peer, to: Peer, peer = TWO): void {
  from.transport.setPeer(peer, `127.0.0.1:${to.transport.port}`);
}

async function until(what: string, condition: () => boolean): Promise<void> {
  for (let waitedMs = 0; !condition(); waitedMs += 5) {
    assert.ok(waitedMs < 8_000, `in time: ${what}`);
    await pause(5);
  }
}

function heartbeat(commit: number): Message {
  return message({ kind: "heartbeat", from: ONE, to: TWO, term: 1, commit });
}

suite("messages between peers", () => {
  test("arrive in order, large and small, with and without a secret", async () => {
    for (const secret of [undefined, "of the group"]) {
      await using one = await startPeer(1, { secret });
      await using two = await startPeer(2, { secret });
      join(one, two);
      const data = new Uint8Array(3_000_000).fill(7);
      for (let index = 1; index <= 200; index++) {
        const entries = index === 100 ? [{ term: 1, index, kind: "normal" as const, data }] : [];
        one.transport.send(message({ ...heartbeat(index), kind: "append", entries }));
      }
      await until("200 messages", () => two.received.length === 200);
      assert.deepEqual(two.gone, []);
      assert.deepEqual(
        two.received.map(({ commit }) => commit),
        Array.from({ length: 200 }, (_, at) => at + 1),
      );
      assert.deepEqual(two.received[99]?.entries[0]?.data, data);
      assert.equal(one.unreachableCount, 0);
      await one.transport[Symbol.asyncDispose]();
      await until("word of its end", () => two.gone.length === 1);
    }
  });

  test("come again after the peer was away, and are dropped and reported while it is", async () => {
    await using one = await startPeer(1);
    const two = await startPeer(2);
    join(one, two);
    one.transport.send(heartbeat(1));
    await until("the first", () => two.received.length === 1);
    const { port } = two.transport;
    await two[Symbol.asyncDispose]();
    assert.deepEqual(one.gone, [], "two has sent nothing");
    await until("a report", () => {
      one.transport.send(heartbeat(2));
      return one.unreachableCount > 0;
    });
    await using again = await startPeer(2, { port });
    await until("another after the return", () => {
      one.transport.send(heartbeat(3));
      return again.received.length > 0;
    });
  });

  test("wait no longer for a peer that was away, once it has called itself", async () => {
    // Pauses between connections last a minute.
    const clock = {
      ...realClock,
      sleep: (_: number, abort?: AbortSignal) => realClock.sleep(60_000, abort),
    };
    await using one = await startPeer(1, { clock });
    const away = await startPeer(2);
    join(one, away);
    const { port } = away.transport;
    await away[Symbol.asyncDispose]();
    await until("a report", () => {
      one.transport.send(heartbeat(1));
      return one.unreachableCount > 0;
    });
    await using two = await startPeer(2, { port });
    join(two, one, ONE);
    two.transport.send(message({ ...heartbeat(2), from: TWO, to: ONE }));
    await until("the peer's word", () => one.received.length > 0);
    await until("a word to the peer", () => {
      one.transport.send(heartbeat(3));
      return two.received.length > 0;
    });
  });

  test("find another connection when the peer has fallen silent", async () => {
    await using one = await startPeer(1);
    await using two = await startPeer(2);
    await using wire = await startWire(two.transport.port);
    one.transport.setPeer(TWO, `127.0.0.1:${wire.port}`);
    one.transport.send(heartbeat(1));
    await until("the first", () => two.received.length === 1);
    wire.freeze();
    assert.deepEqual(two.gone, []);
    const sending = setInterval(() => one.transport.send(heartbeat(2)), 50);
    try {
      await until("another connection", () => two.received.length > 1);
      assert.deepEqual(two.gone, [], "it has sent on another connection since");
    } finally {
      clearInterval(sending);
    }
  });

  test("to a peer that reads nothing are bounded, dropped and reported", async () => {
    await using one = await startPeer(1);
    await using two = await startPeer(2);
    await using wire = await startWire(two.transport.port);
    one.transport.setPeer(TWO, `127.0.0.1:${wire.port}`);
    one.transport.send(heartbeat(1));
    await until("the first", () => two.received.length === 1);
    wire.freeze();
    const data = new Uint8Array(1_000_000);
    const before = process.memoryUsage().arrayBuffers;
    for (let index = 1; index <= 100; index++)
      one.transport.send(
        message({
          ...heartbeat(2),
          kind: "append",
          entries: [{ term: 1, index, kind: "normal", data }],
        }),
      );
    assert.ok(one.unreachableCount > 50, `${one.unreachableCount} were dropped`);
    // What is garbage by now counts too, so each message that is dropped must be dropped before it is encoded.
    const heldBytes = process.memoryUsage().arrayBuffers - before;
    assert.ok(heldBytes < 150e6, `${heldBytes} bytes are held`);
  });

  test("of who does not know the secret, is of another group, or calls another, are not read", async () => {
    await using two = await startPeer(2, { secret: "right" });
    for (const options of [
      { secret: "wrong" },
      { secret: undefined },
      { secret: "right", group: "other" },
    ]) {
      await using one = await startPeer(1, options);
      join(one, two);
      await until("a report", () => {
        one.transport.send(heartbeat(1));
        return one.unreachableCount > 0;
      });
    }
    await using one = await startPeer(1, { secret: "right" });
    join(one, two, peerId(3));
    await until("a report", () => {
      one.transport.send(message({ ...heartbeat(1), to: peerId(3) }));
      return one.unreachableCount > 0;
    });
    assert.deepEqual(two.received, []);
  });

  test("go between peers with certificates of one authority, and from nobody else", async () => {
    const [cert, key] = ["server.pem", "server-key.pem"].map((name) =>
      readFileSync(new URL(`../../objectstore/s3/testdata/${name}`, import.meta.url)),
    );
    const tls = { cert, key, ca: cert } as TlsOptions;
    await using one = await startPeer(1, { tls });
    await using two = await startPeer(2, { tls });
    join(one, two);
    one.transport.send(heartbeat(1));
    await until("the first", () => two.received.length === 1);
    await using plain = await startPeer(1);
    join(plain, two);
    const stranger = connectSecure({ port: two.transport.port, rejectUnauthorized: false });
    stranger.on("error", () => undefined);
    await new Promise((resolve) => {
      stranger.on("close", resolve);
    });
    await until("a report", () => {
      plain.transport.send(heartbeat(2));
      return plain.unreachableCount > 0;
    });
    assert.equal(two.received.length, 1);
  });

  test("of strangers, and those that were changed on the way, end their connection and nothing else", async () => {
    await using two = await startPeer(2);
    const junk = [
      Buffer.from("GET / HTTP/1.1\r\n\r\n"),
      encodeFrame(Buffer.from("{}")),
      encodeFrame(Buffer.from(JSON.stringify({ version: 1 }))),
      Buffer.from([0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]),
    ];
    for (const bytes of junk) {
      const socket = connect(two.transport.port, "127.0.0.1");
      socket.on("error", () => undefined);
      socket.write(bytes);
      socket.resume();
      await new Promise((resolve) => {
        socket.on("close", resolve);
      });
    }
    await using one = await startPeer(1);
    await using wire = await startWire(two.transport.port);
    one.transport.setPeer(TWO, `127.0.0.1:${wire.port}`);
    one.transport.send(heartbeat(1));
    await until("the first", () => two.received.length === 1);
    wire.changeNext();
    one.transport.send(heartbeat(2));
    // Alone, so that it is this one that is changed.
    await pause(50);
    await until("one on a new connection", () => {
      one.transport.send(heartbeat(3));
      return two.received.some(({ commit }) => commit === 3);
    });
    assert.ok(two.received.every(({ commit }) => commit !== 2));
  });

  test("and a snapshot of any size go beside each other", async () => {
    await using one = await startPeer(1);
    await using two = await startPeer(2);
    join(one, two);
    const sent = message({ kind: "snapshot", from: ONE, to: TWO, term: 1 });
    const chunk = new Uint8Array(700_000).fill(9);
    async function* chunks() {
      for (let count = 0; count < 20; count++) {
        yield chunk;
        one.transport.send(heartbeat(count));
        await pause(1);
      }
    }
    await one.transport.sendSnapshot(sent, chunks());
    assert.equal(two.snapshots[0]?.length, 20 * chunk.length);
    await until("20 messages", () => two.received.length === 20);
    async function* broken() {
      yield chunk;
      throw new Error("the disk is gone");
    }
    await assert.rejects(one.transport.sendSnapshot(sent, broken()), {
      code: "raft_peer_unreachable",
    });
    assert.equal(two.snapshots.length, 1);
  });
});

interface Wire extends AsyncDisposable {
  readonly port: number;
  /** What is connected now carries nothing any more, and stays open. */
  freeze(): void;
  /** The next bytes to arrive have one bit changed. */
  changeNext(): void;
}

/** Stands between a peer and another at `targetPort`. */
async function startWire(targetPort: number): Promise<Wire> {
  const sockets = new Set<Socket>();
  let changing = false;
  const server: Server = createServer((near) => {
    const far = connect(targetPort, "127.0.0.1");
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on("error", () => to.destroy());
      from.on("close", () => to.destroy());
    }
    far.on("data", (bytes) => near.write(bytes));
    near.on("data", (bytes: Buffer) => {
      if (changing) bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
      changing = false;
      far.write(bytes);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  return {
    port: address !== null && typeof address === "object" ? address.port : 0,
    freeze: () => {
      for (const socket of sockets) socket.pause();
    },
    changeNext: () => {
      changing = true;
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}
