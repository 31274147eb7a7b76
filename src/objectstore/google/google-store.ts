import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { v } from "#base/schema.ts";
import type { ListOptions, ObjectMeta, ObjectStore } from "#ports/object-store.ts";
import type { GoogleConfig } from "../cloud/config.ts";
import { objectExists } from "../cloud/failures.ts";
import { Listing } from "../cloud/listing.ts";
import { type CloudPorts, CloudRequests } from "../cloud/requests.ts";
import { loadTlsTrust } from "../cloud/tls.ts";
import { checkKey, checkPrefix } from "../keys.ts";
import { type Answer, exchange, type Question } from "./exchange.ts";
import { type GoogleIdentity, noIdentity, openGoogleIdentity } from "./google-identity.ts";
import {
  isAbsent,
  isDone,
  isStored,
  isTaken,
  Refused,
  refusalOf,
  refuseUnless,
} from "./refusal.ts";

const ENDPOINT = "https://storage.googleapis.com";

/**
 * The bucket of `config`. `STORAGE_EMULATOR_HOST` of `env` stands in for Google, and is asked without an identity.
 * Rejects with `invalid` / `store_file_unusable`; the bucket is first asked when it is used.
 */
export async function openGoogleStore(
  config: GoogleConfig,
  ports: CloudPorts,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<GoogleStore> {
  const emulator = env["STORAGE_EMULATOR_HOST"];
  const endpoint = emulator ? emulatorUrl(emulator) : ENDPOINT;
  const connections = { keepAlive: true, maxSockets: config.connectionCountMax };
  const agent = endpoint.startsWith("http:")
    ? new HttpAgent(connections)
    : new HttpsAgent({ ...connections, ...(await loadTlsTrust(config)) });
  return new GoogleStore({
    agent,
    endpoint,
    bucket: config.bucket,
    identity: emulator ? noIdentity : await openGoogleIdentity(config.serviceAccountPath),
    requests: new CloudRequests({
      config,
      place: `the bucket '${config.bucket}' at ${endpoint}`,
      clock: ports.clock,
      refusalOf,
    }),
  });
}

interface GoogleParts {
  readonly agent: HttpAgent | HttpsAgent;
  readonly endpoint: string;
  readonly bucket: string;
  readonly identity: GoogleIdentity;
  readonly requests: CloudRequests;
}

const PAGE = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({
    items: v.optional(
      v.array(v.object({ name: v.string(), size: v.pipe(v.string(), v.transform(Number)) })),
      [],
    ),
    nextPageToken: v.optional(v.string()),
  }),
);

/** Objects in a bucket of Google Cloud Storage, through its JSON API. */
export class GoogleStore implements ObjectStore, AsyncDisposable {
  readonly #parts: GoogleParts;

  constructor(parts: GoogleParts) {
    this.#parts = parts;
  }

  async putIfAbsent(key: string, body: Uint8Array): Promise<void> {
    checkKey(key);
    await this.#parts.requests.run(key, async (signal) => {
      // The generation of an object that is not there is 0.
      const answer = await this.#upload(key, body, { ifGenerationMatch: "0" }, signal);
      if (isTaken(answer)) throw objectExists(key, new Refused(answer));
      refuseUnless(isStored(answer), answer);
    });
  }

  async put(key: string, body: Uint8Array): Promise<void> {
    checkKey(key);
    await this.#parts.requests.run(key, async (signal) => {
      const answer = await this.#upload(key, body, {}, signal);
      refuseUnless(isStored(answer), answer);
    });
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    checkKey(key);
    return this.#parts.requests.run(key, async (signal) => {
      const url = this.#url(`/${encodeURIComponent(key)}`, { alt: "media" });
      const answer = await this.#send({ method: "GET", url }, signal);
      if (isAbsent(answer)) return undefined;
      refuseUnless(isDone(answer), answer);
      return answer.body;
    });
  }

  async list(prefix: string, options: ListOptions = {}): Promise<readonly ObjectMeta[]> {
    checkPrefix(prefix);
    const listing = new Listing(options);
    let pageToken: string | undefined;
    while (listing.pageCountMax > 0) {
      const url = this.#url("", {
        prefix,
        maxResults: String(listing.pageCountMax),
        fields: "items(name,size),nextPageToken",
        // An object of this very name is listed as well, and left out here.
        ...(options.after && { startOffset: options.after }),
        ...(pageToken !== undefined && { pageToken }),
      });
      const page = await this.#parts.requests.run(prefix, async (signal) => {
        const answer = await this.#send({ method: "GET", url }, signal);
        refuseUnless(isDone(answer), answer);
        return v.parse(PAGE, Buffer.from(answer.body).toString());
      });
      for (const { name, size } of page.items) listing.add(name, size);
      pageToken = listing.turn(page.nextPageToken);
      if (pageToken === undefined) break;
    }
    return listing.found;
  }

  async delete(key: string): Promise<void> {
    checkKey(key);
    await this.#parts.requests.run(key, async (signal) => {
      const url = this.#url(`/${encodeURIComponent(key)}`, {});
      const answer = await this.#send({ method: "DELETE", url }, signal);
      refuseUnless(isDone(answer) || isAbsent(answer), answer);
    });
  }

  /** Gives up what is under way, and closes the connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.requests[Symbol.asyncDispose]();
    this.#parts.agent.destroy();
  }

  #upload(key: string, body: Uint8Array, conditions: Query, signal: AbortSignal): Promise<Answer> {
    const query = { uploadType: "media", name: key, fields: "generation", ...conditions };
    const url = this.#url("", query, "/upload");
    return this.#send({ method: "POST", url, body }, signal);
  }

  /** The address of the bucket's objects, or of what is `below` them. */
  #url(below: string, query: Query, service = ""): URL {
    const { bucket, endpoint } = this.#parts;
    const path = `${service}/storage/v1/b/${encodeURIComponent(bucket)}/o${below}`;
    return new URL(`${endpoint}${path}?${new URLSearchParams(query).toString()}`);
  }

  async #send(question: Omit<Question, "headers">, signal: AbortSignal): Promise<Answer> {
    const { agent, identity } = this.#parts;
    const headers = await identity(question.url);
    return exchange({ ...question, headers }, agent, signal);
  }
}

type Query = Readonly<Record<string, string>>;

function emulatorUrl(host: string): string {
  const url = /^https?:\/\//i.test(host) ? host : `http://${host}`;
  return url.replace(/\/+$/, "");
}
