import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:https";
import { connect } from "node:net";
import { suite, test } from "node:test";
import { openServer, send, someServices } from "#testing/http.ts";
import { AUTHORITY, CERTIFICATE, KEY } from "#testing/tls/files.ts";
import type { HttpLimits } from "./options.ts";
import type { HttpServer } from "./server.ts";

const TLS = { certificate: CERTIFICATE, key: KEY, minVersion: "TLSv1.2" } as const;

function open(limits: Partial<HttpLimits> = {}): Promise<HttpServer> {
  return openServer({
    tls: TLS,
    limits,
    services: someServices({ metrics: async () => "figures" }),
  });
}

/** What the server answers to one request over TLS. */
function ask({ address }: HttpServer, path: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const sent = request(`https://${address}${path}`, { ca: AUTHORITY, agent: false }, (answer) => {
    let text = "";
    answer.setEncoding("utf8");
    answer.on("data", (chunk: string) => {
      text += chunk;
    });
    answer.on("end", () => resolve(text));
  });
  sent.on("error", reject);
  sent.end();
  return promise;
}

/** A connection that says nothing; resolves when it is there. */
async function silent({ address }: HttpServer) {
  const socket = connect(Number(address.split(":")[1]), "127.0.0.1");
  socket.on("error", () => undefined);
  await once(socket, "connect");
  socket.resume();
  return socket;
}

suite("a server for TLS", () => {
  test("answers over it, and nobody else", async () => {
    await using server = await open();
    assert.equal(await ask(server, "/metrics"), "figures");
    await assert.rejects(send(server.address, { path: "/metrics" }));
    assert.equal(await ask(server, "/health"), "OK");
  });

  test("who connects and never begins to speak it is cut off, and keeps nobody out", async () => {
    await using server = await open({ connectionCountMax: 3 });
    const first = await silent(server);
    const closed = once(first, "close");
    for (let count = 0; count < 3; count++) await silent(server);
    await closed;
    assert.equal(await ask(server, "/health"), "OK");
  });

  test("a handshake that takes too long is given up", async () => {
    await using server = await open({ headersMsMax: 80 });
    const socket = await silent(server);
    await once(socket, "close");
  });

  test("stops though somebody is in a handshake", async () => {
    const server = await open();
    const socket = await silent(server);
    const closed = once(socket, "close");
    await server[Symbol.asyncDispose]();
    await closed;
  });
});
