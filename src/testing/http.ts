import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { connect } from "node:net";
import { scheduler } from "node:timers/promises";
import { type NodeCall, signCall, verifyCall } from "#access/node-call.ts";
import { NOBODY } from "#access/principal.ts";
import { utf8 } from "#base/bytes.ts";
import type { HttpLimits, HttpServerOptions } from "#http/options.ts";
import { HttpServer } from "#http/server.ts";
import type { HttpServices, NodeIdentity } from "#http/services.ts";
import type { NodeNumber } from "#model/ids.ts";
import type { Clock } from "#ports/clock.ts";
import { silentLog } from "#ports/log.ts";
import { seededRandom } from "#ports/random.ts";

export const IDENTITY: NodeIdentity = {
  nodeId: "host01",
  clusterId: "cluster01",
  processId: "11111111-2222-4333-8444-555555555555",
  clusterUuid: "99999999-8888-4777-8666-555555555555",
  version: "1.2.3",
};

/** What other nodes know in tests. */
export const CLUSTER_SECRET = "the cluster's secret";

/** The node that tests call: one that has not registered. */
const ASKED = { node: 0 as NodeNumber, epoch: 0 };
let callCount = 0;

/** The `Authorization` of another node's `call`. */
export function signedBy(secret: string, call: NodeCall, body?: string): string {
  callCount += 1;
  const from = { node: 7 as NodeNumber, epoch: 1 };
  const mark = { from, to: ASKED, number: callCount };
  return signCall({ secret }, mark, call, body === undefined ? undefined : utf8(body));
}

/** The time of this machine, for tests of what meets real sockets. */
export const machineClock: Clock = {
  nowNs: () => 1_750_000_000_000_000_000n + process.hrtime.bigint(),
  monotonicMs: () => Number(process.hrtime.bigint()) / 1e6,
  async sleep(delayMs, signal) {
    try {
      await scheduler.wait(delayMs, signal === undefined ? {} : { signal });
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    }
  },
};

/** Services that do what `some` do; a call of another one fails. */
export function someServices(some: Partial<HttpServices>): HttpServices {
  return {
    authenticate: async (credential) =>
      credential.kind === "node_call"
        ? (verifyCall({ ...ASKED, secret: CLUSTER_SECRET }, credential.call, credential.proof) ??
          NOBODY)
        : NOBODY,
    createOperatorToken: unexpected,
    replaceOperatorToken: unexpected,
    recoverOperatorToken: unexpected,
    createAdminToken: unexpected,
    deleteToken: unexpected,
    write: unexpected,
    query: unexpected,
    deleteRows: unexpected,
    influxQl: unexpected,
    createDatabase: unexpected,
    updateDatabase: unexpected,
    deleteDatabase: unexpected,
    createTable: unexpected,
    extendTable: unexpected,
    updateTable: unexpected,
    deleteTable: unexpected,
    listDatabases: unexpected,
    ready: unexpected,
    metrics: unexpected,
    stopNode: unexpected,
    removeNode: unexpected,
    requireProcessing: unexpectedly,
    refresh: unexpected,
    hearPush: unexpectedly,
    answerStanding: unexpectedly,
    answerOffice: unexpectedly,
    queryConcurrency: unexpectedly,
    limitQueryConcurrency: unexpectedly,
    identify: () => IDENTITY,
    ...some,
  };
}

/** A server on a free port of this machine, that asks nobody for a token. */
export function openServer(
  options: Partial<HttpServerOptions> & { readonly limits?: Partial<HttpLimits> } = {},
): Promise<HttpServer> {
  return HttpServer.open({
    host: "127.0.0.1",
    port: 0,
    identity: { ...IDENTITY, clusterUuid: undefined },
    access: { withoutAuth: true, openActions: [] },
    requestSizeMax: 10_000,
    clock: machineClock,
    random: seededRandom(1),
    log: silentLog,
    ...options,
  });
}

function unexpected(): Promise<never> {
  return Promise.reject(UNEXPECTED);
}

function unexpectedly(): never {
  throw UNEXPECTED;
}

const UNEXPECTED = new Error("a service was called that the test does not expect");

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Call {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string | Uint8Array | undefined;
}

/** Sends one request over a connection of its own. Rejects when the answer is not whole. */
export function send(address: string, call: Call): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const request = httpRequest(
    `http://${address}${call.path}`,
    { method: call.method ?? "GET", headers: { ...call.headers }, agent: false },
    (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString(),
        });
      });
    },
  );
  request.on("error", reject);
  request.end(call.body);
  return promise;
}

/** Sends `text` as it is, and gives what came until the server closed the connection, and whether it was reset. */
export function sendRaw(address: string, text: string): Promise<{ text: string; reset: boolean }> {
  const { promise, resolve } = Promise.withResolvers<{ text: string; reset: boolean }>();
  const port = Number(address.slice(address.lastIndexOf(":") + 1));
  const socket = connect(port, "127.0.0.1", () => socket.write(text));
  let received = "";
  let reset = false;
  socket.on("data", (chunk) => {
    received += chunk.toString();
  });
  socket.on("error", () => {
    reset = true;
  });
  socket.on("close", () => resolve({ text: received, reset }));
  return promise;
}
