import type { S3Client } from "@aws-sdk/client-s3";
import { describeError } from "#base/errors.ts";
import type { S3Keys } from "../cloud/config.ts";
import type { CloudPorts } from "../cloud/requests.ts";
import { type ChangingKeys, equalKeys } from "./changing-keys.ts";

/** The machine is not asked more often, whatever the store answers. */
const PAUSE_MS = 1_000;

/**
 * What a client needs so that the library looks into AWS's shared files whenever it is asked anew, not only once in the life of the
 * process. Its types know of this only where the library reads the files.
 */
export const READ_FILES_ANEW = { ignoreCache: true } as const;

/**
 * The keys that Amazon's own programs would use: of the environment, of AWS's shared files, or of the machine. The library replaces those that
 * end; others may change in their file, so they are looked up again when the store denies them.
 */
export class MachineKeys implements ChangingKeys {
  readonly #client: S3Client;
  readonly #ports: CloudPorts;
  #triedMs = Number.NEGATIVE_INFINITY;

  constructor(client: S3Client, ports: CloudPorts) {
    this.#client = client;
    this.#ports = ports;
  }

  async keys(): Promise<S3Keys> {
    return this.#load({});
  }

  async hasOtherThan(denied: S3Keys): Promise<boolean> {
    const { clock, log } = this.#ports;
    try {
      if (!equalKeys(await this.keys(), denied)) return true;
      if (clock.monotonicMs() - this.#triedMs < PAUSE_MS) return false;
      this.#triedMs = clock.monotonicMs();
      return !equalKeys(await this.#load({ forceRefresh: true }), denied);
    } catch (error) {
      log.warn("The keys that the object store denied could not be looked up again.", {
        reason: describeError(error),
      });
      return false;
    }
  }

  async #load(options: { readonly forceRefresh?: boolean }): Promise<S3Keys> {
    const { accessKeyId, secretAccessKey, sessionToken } =
      await this.#client.config.credentials(options);
    return { accessKeyId, secretAccessKey, sessionToken };
  }
}
