import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  type S3ClientConfig,
} from "@aws-sdk/client-s3";
import { DbError } from "#base/errors.ts";
import type { ListOptions, ObjectMeta, ObjectStore } from "#ports/object-store.ts";
import type { S3Config, S3Keys } from "../cloud/config.ts";
import { type CloudRefusal, isDenied, objectExists } from "../cloud/failures.ts";
import { Listing } from "../cloud/listing.ts";
import { type CloudPorts, CloudRequests } from "../cloud/requests.ts";
import { loadTlsTrust } from "../cloud/tls.ts";
import { checkKey, checkPrefix } from "../keys.ts";
import type { ChangingKeys } from "./changing-keys.ts";
import { CredentialsFile } from "./credentials-file.ts";
import { MachineKeys, READ_FILES_ANEW } from "./machine-keys.ts";
import { refusalOf } from "./refusal.ts";

/** Attempts of one put that the store breaks off because another one of the same key is under way. */
const CONTENDED_COUNT_MAX = 8;
const CONTENDED_WAIT_MS = 50;
/** What the library says when it finds no keys. */
const NO_KEYS = "CredentialsProviderError";

/** The bucket of `config`. Rejects with `invalid` / `store_file_unusable`; the bucket is first asked when it is used. */
export async function openS3Store(config: S3Config, ports: CloudPorts): Promise<S3Store> {
  const { credentialsFilePath, keys, skipSignature } = config;
  const file =
    credentialsFilePath === undefined
      ? undefined
      : await CredentialsFile.open(credentialsFilePath, ports);
  const client = new S3Client({ ...(await clientConfig(config)), ...identity(config, file) });
  const given = skipSignature || (file === undefined && keys !== undefined);
  const changing = given ? undefined : (file ?? new MachineKeys(client, ports));
  return new S3Store({ client, config, changing, ports });
}

interface S3Parts {
  readonly client: S3Client;
  readonly config: S3Config;
  /** Undefined where the keys stay what they are. */
  readonly changing: ChangingKeys | undefined;
  readonly ports: CloudPorts;
}

/** Objects in a bucket of Amazon S3, or of a server that speaks its API and honours `If-None-Match: *` in PutObject. */
export class S3Store implements ObjectStore, AsyncDisposable {
  readonly #parts: S3Parts;
  readonly #requests: CloudRequests;
  /** Whether there were keys at some time. */
  #hadKeys = false;

  constructor(parts: S3Parts) {
    const { config, ports } = parts;
    const server = config.endpoint ?? `Amazon S3 in ${config.region}`;
    const place = `the bucket '${config.bucket}' at ${server}`;
    this.#parts = parts;
    this.#requests = new CloudRequests({
      config,
      place,
      clock: ports.clock,
      refusalOf: (error) => this.#refusalOf(error),
    });
  }

  async putIfAbsent(key: string, body: Uint8Array): Promise<void> {
    checkKey(key);
    const { clock, random } = this.#parts.ports;
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#create(key, body);
        return;
      } catch (error) {
        // The store says that it did nothing, so this is no repetition of a put whose answer was lost.
        if (attempt >= CONTENDED_COUNT_MAX || !isContended(error)) throw error;
      }
      await clock.sleep(random.next() * CONTENDED_WAIT_MS * attempt);
    }
  }

  async put(key: string, body: Uint8Array): Promise<void> {
    checkKey(key);
    const command = new PutObjectCommand({ ...this.#object(key), Body: body });
    await this.#run(key, (signal) => this.#client.send(command, { abortSignal: signal }));
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    checkKey(key);
    return this.#run(key, async (signal) => {
      try {
        const command = new GetObjectCommand(this.#object(key));
        const { Body, ContentLength } = await this.#client.send(command, { abortSignal: signal });
        const bytes = (await Body?.transformToByteArray()) ?? new Uint8Array();
        if (ContentLength !== undefined && bytes.length !== ContentLength) {
          throw new Error(`the answer broke off after ${bytes.length} of ${ContentLength} bytes`);
        }
        return bytes;
      } catch (error) {
        if (refusalOf(error).code === "NoSuchKey") return undefined;
        throw error;
      }
    });
  }

  async list(prefix: string, options: ListOptions = {}): Promise<readonly ObjectMeta[]> {
    checkPrefix(prefix);
    const listing = new Listing(options);
    let token: string | undefined;
    while (listing.pageCountMax > 0) {
      const command = new ListObjectsV2Command({
        Bucket: this.#parts.config.bucket,
        Prefix: prefix,
        MaxKeys: listing.pageCountMax,
        ...(options.after && { StartAfter: options.after }),
        ...(token !== undefined && { ContinuationToken: token }),
      });
      const page = await this.#run(prefix, (signal) =>
        this.#client.send(command, { abortSignal: signal }),
      );
      for (const { Key = "", Size = 0 } of page.Contents ?? []) listing.add(Key, Size);
      token = listing.turn(page.NextContinuationToken, page.IsTruncated === true);
      if (token === undefined) break;
    }
    return listing.found;
  }

  async delete(key: string): Promise<void> {
    checkKey(key);
    const command = new DeleteObjectCommand(this.#object(key));
    await this.#run(key, (signal) => this.#client.send(command, { abortSignal: signal }));
  }

  /** Gives up what is under way, and closes the connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#requests[Symbol.asyncDispose]();
    this.#client.destroy();
  }

  get #client(): S3Client {
    return this.#parts.client;
  }

  #object(key: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.#parts.config.bucket, Key: key };
  }

  async #create(key: string, body: Uint8Array): Promise<void> {
    const command = new PutObjectCommand({ ...this.#object(key), Body: body, IfNoneMatch: "*" });
    await this.#run(key, async (signal) => {
      try {
        await this.#client.send(command, { abortSignal: signal });
      } catch (error) {
        const { status } = refusalOf(error);
        if (status === 412) throw objectExists(key, error);
        if (status === 501) throw unconditional(error);
        throw error;
      }
    });
  }

  /** Sends a request; once more where its keys were denied and there are others by now. */
  #run<T>(key: string, send: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { changing } = this.#parts;
    if (changing === undefined) return this.#requests.run(key, send);
    return this.#requests.run(key, async (signal) => {
      const keys = await changing.keys();
      this.#hadKeys = true;
      try {
        return await send(signal);
      } catch (error) {
        // A request that was denied did nothing.
        if (!isDenied(refusalOf(error)) || !(await changing.hasOtherThan(keys))) throw error;
        return send(signal);
      }
    });
  }

  /** That who gave keys gives none now, will pass: as the service of a machine that does not answer, or a file that is being written. */
  #refusalOf(error: unknown): CloudRefusal {
    const refusal = refusalOf(error);
    const passes = this.#hadKeys && refusal.code === NO_KEYS;
    return passes ? { ...refusal, code: undefined } : refusal;
  }
}

async function clientConfig(config: S3Config): Promise<S3ClientConfig> {
  const { bucket, connectionCountMax, endpoint, region } = config;
  const agent = { keepAlive: true, maxSockets: connectionCountMax };
  const { ca, rejectUnauthorized } = await loadTlsTrust(config);
  return {
    region,
    ...(endpoint !== undefined && { endpoint }),
    // The options have seen to it (cli/serve/store-options.ts): the library would go there without TLS, whatever they say.
    ignoreConfiguredEndpointUrls: true,
    // A server of one's own has seldom a name for each bucket, and a certificate none for a bucket with dots.
    forcePathStyle: endpoint !== undefined || bucket.includes("."),
    // What is repeated, and when, is decided above this (retrying.ts).
    maxAttempts: 1,
    // Servers that speak an older API refuse checksums that they do not know.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    requestHandler: {
      httpAgent: agent,
      httpsAgent: { ...agent, rejectUnauthorized, ...(ca !== undefined && { ca }) },
    },
  };
}

/** Whose requests they are; nothing where the library is to look for keys itself: environment, shared files, the machine. */
function identity(
  { keys, skipSignature }: S3Config,
  file: CredentialsFile | undefined,
): Pick<S3ClientConfig, "credentials" | "signer"> | typeof READ_FILES_ANEW {
  if (skipSignature) {
    const credentials = { accessKeyId: "", secretAccessKey: "" };
    return { credentials, signer: { sign: async (request) => request } };
  }
  if (file !== undefined) {
    // Keys that have ended are asked for again with every request; the file knows how long they last.
    const expiration = new Date(0);
    return { credentials: async () => ({ ...sdkKeys(await file.keys()), expiration }) };
  }
  return keys === undefined ? READ_FILES_ANEW : { credentials: sdkKeys(keys) };
}

function sdkKeys({ accessKeyId, secretAccessKey, sessionToken }: S3Keys) {
  return { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) };
}

function isContended(error: unknown): boolean {
  return error instanceof DbError && error.detail["status"] === 409;
}

function unconditional(cause: unknown): DbError {
  return new DbError(
    "unsupported",
    "store_unsafe",
    "the object store does not know puts that ask for absence: nodes on it would overwrite each other; use a server that honours If-None-Match",
    { cause },
  );
}
