import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { isIP } from "node:net";
import {
  type BlockBlobUploadOptions,
  ContainerClient,
  newPipeline,
  StorageSharedKeyCredential,
} from "@azure/storage-blob";
import { DbError } from "#base/errors.ts";
import type { ListOptions, ObjectMeta, ObjectStore } from "#ports/object-store.ts";
import { readBody } from "../cloud/body.ts";
import type { AzureConfig } from "../cloud/config.ts";
import { objectExists } from "../cloud/failures.ts";
import { Listing } from "../cloud/listing.ts";
import { type CloudPorts, CloudRequests } from "../cloud/requests.ts";
import { loadTlsTrust } from "../cloud/tls.ts";
import { checkKey, checkPrefix } from "../keys.ts";
import { AzureTokens } from "./azure-tokens.ts";
import { refusalOf } from "./refusal.ts";

const PAGE_COUNT_MAX = 5_000;

/**
 * The container of `config`.
 *
 * Rejects with `invalid` / `store_file_unusable` for a file that cannot be read, `unavailable` / `store_denied` without a key where there is
 * no TLS, and `unsupported` / `store_unsafe` where the account has a hierarchical namespace: its lists show folders among the objects.
 */
export async function openAzureStore(config: AzureConfig, ports: CloudPorts): Promise<AzureStore> {
  const url = containerUrl(config);
  const connections = { keepAlive: true, maxSockets: config.connectionCountMax };
  const agent =
    url.protocol === "http:"
      ? new HttpAgent(connections)
      : new HttpsAgent({ ...connections, ...(await loadTlsTrust(config)) });
  const credential = identity(config, url, ports);
  // What is repeated, and when, is decided above this (retrying.ts).
  const options = { retryOptions: { maxTries: 1 }, agent };
  const store = new AzureStore({
    container: new ContainerClient(url.href, newPipeline(credential, options)),
    requests: new CloudRequests({
      config,
      place: `the container '${config.bucket}' at ${url.origin}`,
      clock: ports.clock,
      refusalOf,
    }),
    agent,
  });
  if (await store.hasFolders()) {
    await store[Symbol.asyncDispose]();
    throw new DbError(
      "unsupported",
      "store_unsafe",
      `the storage account '${config.account}' has a hierarchical namespace, which lists folders as if they were objects: use an account without one`,
    );
  }
  return store;
}

interface AzureParts {
  readonly container: ContainerClient;
  readonly requests: CloudRequests;
  readonly agent: HttpAgent | HttpsAgent;
}

/** Objects as block blobs of a container of Azure Blob Storage, each written by one request. */
export class AzureStore implements ObjectStore, AsyncDisposable {
  readonly #parts: AzureParts;

  constructor(parts: AzureParts) {
    this.#parts = parts;
  }

  async putIfAbsent(key: string, body: Uint8Array): Promise<void> {
    checkKey(key);
    await this.#parts.requests.run(key, async (abortSignal) => {
      try {
        await this.#upload(key, body, { abortSignal, conditions: { ifNoneMatch: "*" } });
      } catch (error) {
        const { status, code } = refusalOf(error);
        // The service has two answers for an object that is there.
        if (status === 412 || code === "BlobAlreadyExists") throw objectExists(key, error);
        throw error;
      }
    });
  }

  async put(key: string, body: Uint8Array): Promise<void> {
    checkKey(key);
    await this.#parts.requests.run(key, (abortSignal) => this.#upload(key, body, { abortSignal }));
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    checkKey(key);
    return this.#unlessAbsent(key, async (abortSignal) => {
      const options = { abortSignal, maxRetryRequests: 0 };
      const answer = await this.#container.getBlobClient(key).download(0, undefined, options);
      const { readableStreamBody: stream, contentLength } = answer;
      if (stream === undefined || contentLength === undefined)
        throw new Error("the answer has no body");
      return readBody(stream, contentLength, abortSignal);
    });
  }

  async list(prefix: string, options: ListOptions = {}): Promise<readonly ObjectMeta[]> {
    checkPrefix(prefix);
    const listing = new Listing(options);
    // The service has no way to begin a list in its middle that all its accounts know, so what is up to `after` is passed over.
    const maxPageSize = options.after ? PAGE_COUNT_MAX : listing.pageCountMax;
    let continuationToken: string | undefined;
    while (listing.pageCountMax > 0) {
      const page = await this.#parts.requests.run(prefix, async (abortSignal) => {
        const settings = { maxPageSize, ...(continuationToken && { continuationToken }) };
        const pages = this.#container.listBlobsFlat({ prefix, abortSignal }).byPage(settings);
        return (await pages.next()).value;
      });
      for (const { name, properties } of page?.segment.blobItems ?? [])
        listing.add(name, properties.contentLength ?? 0);
      continuationToken = listing.turn(page?.continuationToken);
      if (continuationToken === undefined) break;
    }
    return listing.found;
  }

  async delete(key: string): Promise<void> {
    checkKey(key);
    await this.#unlessAbsent(key, (abortSignal) =>
      // With the snapshots that somebody may have taken of it: they would keep it.
      this.#container.getBlobClient(key).delete({ abortSignal, deleteSnapshots: "include" }),
    );
  }

  /** Whether folders are more than a part of names here; also false where the account does not tell. */
  async hasFolders(): Promise<boolean> {
    try {
      return await this.#parts.requests.run("", async (abortSignal) => {
        const account = await this.#container.getAccountInfo({ abortSignal });
        return account.isHierarchicalNamespaceEnabled === true;
      });
    } catch {
      return false;
    }
  }

  /** Gives up what is under way, and closes the connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.requests[Symbol.asyncDispose]();
    this.#parts.agent.destroy();
  }

  get #container(): ContainerClient {
    return this.#parts.container;
  }

  async #upload(key: string, body: Uint8Array, options: BlockBlobUploadOptions): Promise<void> {
    // A Buffer, for of any other view the library sends the whole memory beneath.
    const bytes = Buffer.from(body.buffer, body.byteOffset, body.length);
    await this.#container.getBlockBlobClient(key).upload(bytes, bytes.length, options);
  }

  /** As `send`; undefined when the container has no such object. */
  #unlessAbsent<T>(
    key: string,
    send: (abortSignal: AbortSignal) => Promise<T>,
  ): Promise<T | undefined> {
    return this.#parts.requests.run(key, async (abortSignal) => {
      try {
        return await send(abortSignal);
      } catch (error) {
        if (refusalOf(error).code === "BlobNotFound") return undefined;
        throw error;
      }
    });
  }
}

/** Whose requests they are. Throws `unavailable` / `store_denied` where a token could be read along the way. */
function identity(
  { account, accessKey }: AzureConfig,
  url: URL,
  { clock }: CloudPorts,
): StorageSharedKeyCredential | AzureTokens {
  if (accessKey !== undefined) return new StorageSharedKeyCredential(account, accessKey);
  if (url.protocol === "https:") return new AzureTokens(process.env, clock);
  throw new DbError(
    "unavailable",
    "store_denied",
    `The object store at ${url.origin} is without TLS, so it gets no token: set --azure-storage-access-key.`,
  );
}

/** Where the container is. A server by its address or bare name, as Azurite, has the account in the path instead of in its name. */
function containerUrl({ account, bucket, endpoint }: AzureConfig): URL {
  const url = new URL(endpoint ?? `https://${account}.blob.core.windows.net`);
  const bare = isIP(url.hostname.replace(/^\[(.*)\]$/, "$1")) !== 0 || !url.hostname.includes(".");
  const path = url.pathname === "/" && bare ? `/${account}` : url.pathname.replace(/\/$/, "");
  url.pathname = `${path}/${bucket}`;
  return url;
}
