import { readFile } from "node:fs/promises";
import { rootCertificates } from "node:tls";
import { DbError, describeError } from "#base/errors.ts";
import type { CloudConfig } from "./config.ts";

/** Whom a connection to a cloud trusts, as `node:tls` spells it. */
export interface TlsTrust {
  readonly rejectUnauthorized: boolean;
  /** Undefined: the usual authorities. */
  readonly ca: string[] | undefined;
}

/** Rejects with `invalid` / `store_file_unusable` when the file of authorities cannot be read. */
export async function loadTlsTrust(config: CloudConfig): Promise<TlsTrust> {
  const { tlsAllowInsecure, tlsCaPath } = config;
  const ca =
    tlsCaPath === undefined
      ? undefined
      : [...rootCertificates, await loadStoreFile(tlsCaPath, "--object-store-tls-ca")];
  return { rejectUnauthorized: !tlsAllowInsecure, ca };
}

/** The text of a file that an option of the object store names. Rejects with `invalid` / `store_file_unusable`. */
export async function loadStoreFile(path: string, option: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw storeFileUnusable(option, describeError(error), error);
  }
}

/** The complaint about a file that an option of the object store names. */
export function storeFileUnusable(option: string, reason: string, cause?: unknown): DbError {
  return new DbError("invalid", "store_file_unusable", `the file of ${option}: ${reason}`, {
    detail: { option },
    cause,
  });
}
