import { messageOf } from "#base/errors.ts";
import { v } from "#base/schema.ts";
import type { S3Keys } from "../cloud/config.ts";
import type { CloudPorts } from "../cloud/requests.ts";
import { loadStoreFile, storeFileUnusable } from "../cloud/tls.ts";
import { type ChangingKeys, equalKeys } from "./changing-keys.ts";

const OPTION = "--aws-credentials-file";
/** A file that says nothing of an end is looked at again after this time. */
const AGE_MS_MAX = 3_600_000;
/** Keys are replaced this long before they expire. */
const MARGIN_NS = 60_000_000_000n;
/** The file is not read more often, whatever the store answers. */
const PAUSE_MS = 1_000;

const EXPIRY_SECONDS_MAX = 1e11;

const FILE = v.object({
  aws_access_key_id: v.pipe(v.string(), v.nonEmpty()),
  aws_secret_access_key: v.pipe(v.string(), v.nonEmpty()),
  aws_session_token: v.nullish(v.pipe(v.string(), v.nonEmpty())),
  expiry: v.nullish(
    v.union([
      v.pipe(v.number(), v.minValue(0), v.maxValue(EXPIRY_SECONDS_MAX)),
      v.pipe(v.string(), v.isoTimestamp()),
    ]),
  ),
});

/** What the file said. */
interface Reading {
  readonly keys: S3Keys;
  /** When the keys end, in nanoseconds since the epoch; undefined: never, as far as the file says. */
  readonly expiryNs: bigint | undefined;
  readonly readMs: number;
}

/**
 * Keys in a JSON file that something else keeps fresh: `aws_access_key_id`, `aws_secret_access_key`, and, where they end,
 * `aws_session_token` and `expiry`, in seconds since the epoch or as a text like `2026-01-31T12:00:00Z`. It is read again when the
 * keys are about to expire, every hour, and when the store denied them. While it cannot be read, the keys that were there stay in use.
 */
export class CredentialsFile implements ChangingKeys {
  readonly #path: string;
  readonly #ports: CloudPorts;
  #reading: Reading;
  #triedMs: number;
  #refreshing: Promise<void> | undefined;

  /** Rejects with `invalid` / `store_file_unusable`. */
  static async open(path: string, ports: CloudPorts): Promise<CredentialsFile> {
    return new CredentialsFile(path, ports, await loadReading(path, ports));
  }

  private constructor(path: string, ports: CloudPorts, reading: Reading) {
    this.#path = path;
    this.#ports = ports;
    this.#reading = reading;
    this.#triedMs = reading.readMs;
  }

  async keys(): Promise<S3Keys> {
    const { clock } = this.#ports;
    const { expiryNs, readMs } = this.#reading;
    const expires = expiryNs !== undefined && clock.nowNs() >= expiryNs - MARGIN_NS;
    if (expires || clock.monotonicMs() - readMs >= AGE_MS_MAX) await this.#refresh();
    return this.#reading.keys;
  }

  async hasOtherThan(denied: S3Keys): Promise<boolean> {
    if (equalKeys(this.#reading.keys, denied)) await this.#refresh();
    return !equalKeys(this.#reading.keys, denied);
  }

  async #refresh(): Promise<void> {
    if (this.#refreshing === undefined) {
      if (this.#ports.clock.monotonicMs() - this.#triedMs < PAUSE_MS) return;
      this.#refreshing = this.#readAgain().finally(() => {
        this.#refreshing = undefined;
      });
    }
    await this.#refreshing;
  }

  async #readAgain(): Promise<void> {
    this.#triedMs = this.#ports.clock.monotonicMs();
    try {
      this.#reading = await loadReading(this.#path, this.#ports);
    } catch (error) {
      this.#ports.log.warn(
        "The file of credentials cannot be used; the keys that it had stay in use.",
        {
          reason: messageOf(error),
        },
      );
    }
  }
}

async function loadReading(path: string, { clock }: CloudPorts): Promise<Reading> {
  const readMs = clock.monotonicMs();
  const text = await loadStoreFile(path, OPTION);
  const file = v.safeParse(FILE, parseJson(text));
  if (!file.success) {
    const [issue] = file.issues;
    throw storeFileUnusable(OPTION, `${v.getDotPath(issue) ?? "it"}: ${issue.message}`);
  }
  const { aws_access_key_id, aws_secret_access_key, aws_session_token, expiry } = file.output;
  return {
    keys: {
      accessKeyId: aws_access_key_id,
      secretAccessKey: aws_secret_access_key,
      sessionToken: aws_session_token ?? undefined,
    },
    expiryNs: expiryNsOf(expiry ?? undefined),
    readMs,
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own words would show a part of the text, and that is secret.
    throw storeFileUnusable(OPTION, "it is no JSON");
  }
}

function expiryNsOf(expiry: number | string | undefined): bigint | undefined {
  if (expiry === undefined) return undefined;
  const ms = typeof expiry === "number" ? expiry * 1_000 : Date.parse(expiry);
  return BigInt(Math.trunc(ms)) * 1_000_000n;
}
