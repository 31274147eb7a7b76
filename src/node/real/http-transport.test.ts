import assert from "node:assert/strict";
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { suite, test } from "node:test";
import { utf8 } from "#base/bytes.ts";
import { type DbError, isKind } from "#base/errors.ts";
import { AUTHORITY, CERTIFICATE, KEY } from "#testing/tls/files.ts";
import { HttpTransport } from "./http-transport.ts";

class Peer implements AsyncDisposable {
  readonly #server: Server;
  connectionCount = 0;

  private constructor(server: Server) {
    this.#server = server;
    server.on("connection", () => {
      this.connectionCount += 1;
    });
  }

  static open(listener: RequestListener, host = "127.0.0.1"): Promise<Peer> {
    const server = createServer(listener);
    const peer = new Peer(server);
    return new Promise((resolve) => server.listen(0, host, () => resolve(peer)));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise((resolve) => {
      this.#server.close(resolve);
      this.#server.closeAllConnections();
    });
  }
}

function unreachable(error: unknown): error is DbError {
  return isKind(error, "unavailable") && error.code === "peer_unreachable";
}

suite("calls between nodes", () => {
  test("carry method, path and body, and bring status and body, over one connection", async () => {
    await using peer = await Peer.open((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        response.statusCode = 207;
        response.end(`${request.method} ${request.url} ${Buffer.concat(chunks).toString()}`);
      });
    });
    using transport = new HttpTransport();
    const got = await transport.send(peer.address, {
      method: "GET",
      path: "/a?b",
      timeoutMs: 1000,
    });
    assert.equal(got.status, 207);
    assert.deepEqual(got.body, utf8("GET /a?b "));
    const posted = await transport.send(peer.address, {
      method: "POST",
      path: "/c",
      body: utf8("xyz"),
      timeoutMs: 1000,
    });
    assert.deepEqual(posted.body, utf8("POST /c xyz"));
    assert.equal(peer.connectionCount, 1);
  });

  test("reach names and IPv6 addresses", async () => {
    await using peer = await Peer.open((_request, response) => response.end("six"), "::1");
    using transport = new HttpTransport();
    const request = { method: "GET", path: "/", timeoutMs: 1000 } as const;
    const answer = await transport.send(`[::1]:${peer.port}`, request);
    assert.deepEqual(answer.body, utf8("six"));
  });

  test("speak TLS where the address says so, with whom they trust", async () => {
    const server = createTlsServer({ cert: CERTIFICATE, key: KEY }, (_request, response) =>
      response.end("safe"),
    );
    const { promise, resolve } = Promise.withResolvers<undefined>();
    server.listen(0, "127.0.0.1", () => resolve(undefined));
    await promise;
    const { port } = server.address() as AddressInfo;
    const request = { method: "GET", path: "/", timeoutMs: 1000 } as const;
    try {
      // The authority that signed the certificate, or the certificate itself.
      for (const trusted of [AUTHORITY, CERTIFICATE]) {
        using transport = new HttpTransport({ trusted: [trusted] });
        const answer = await transport.send(`https://localhost:${port}`, request);
        assert.deepEqual(answer.body, utf8("safe"));
        await assert.rejects(transport.send(`127.0.0.1:${port}`, request), unreachable);
      }
      using stranger = new HttpTransport();
      await assert.rejects(stranger.send(`https://localhost:${port}`, request), unreachable);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  const failures: readonly [name: string, listener: RequestListener, reason: RegExp][] = [
    ["never begins", () => undefined, /no answer in 50 ms/],
    ["never ends", (_request, response) => response.write("x"), /no answer in 50 ms/],
    [
      "breaks off",
      (_request, response) => {
        response.write("x");
        setTimeout(() => response.destroy(), 5);
      },
      /aborted|socket hang up/,
    ],
    ["is too long", (_request, response) => response.end("x".repeat(1001)), /longer than 1000/],
  ];
  for (const [name, listener, reason] of failures) {
    test(`an answer that ${name} is none`, async () => {
      await using peer = await Peer.open(listener);
      using transport = new HttpTransport({ answerSizeMax: 1000 });
      // Only those that wait for the time to pass should meet its end.
      const timeoutMs = name.startsWith("never") ? 50 : 10_000;
      await assert.rejects(
        transport.send(peer.address, { method: "GET", path: "/", timeoutMs }),
        (error) =>
          unreachable(error) && error.cause instanceof Error && reason.test(error.cause.message),
      );
    });
  }

  test("nobody there, or an address that is none, is no answer", async () => {
    const peer = await Peer.open(() => undefined);
    const { address } = peer;
    await peer[Symbol.asyncDispose]();
    using transport = new HttpTransport();
    for (const target of [address, "127.0.0.1:99999", "nonsense", ":80", "[]:80", "a:0", ""]) {
      await assert.rejects(
        transport.send(target, { method: "GET", path: "/", timeoutMs: 1000 }),
        unreachable,
      );
    }
  });
});
