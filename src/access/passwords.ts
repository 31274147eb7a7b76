import { scrypt, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import { DbError } from "#base/errors.ts";

const HASH_SIZE = 32;
/** Bytes of chance that are hashed with a password, so that equal ones do not look equal. */
export const PASSWORD_SALT_SIZE = 16;

/** Some 50 ms and 16 MiB each (RFC 7914: N, r, p). */
const COST = { N: 16_384, r: 8, p: 1 } as const;

/** `scrypt:N:r:p:salt:hash`. */
const HASHED = /^scrypt:(\d+):(\d+):(\d+):([0-9a-f]+):([0-9a-f]+)$/;

const derive = promisify<
  string,
  Uint8Array,
  number,
  { readonly N: number; readonly r: number; readonly p: number },
  Uint8Array
>(scrypt);

/** What the catalog knows of a password: docs/formats/catalog.md. */
export async function hashPassword(password: string, salt: Uint8Array): Promise<string> {
  const hash = await derive(password, salt, HASH_SIZE, COST);
  const { N, p, r } = COST;
  return `scrypt:${N}:${r}:${p}:${hex(salt)}:${hex(hash)}`;
}

/** Whether `hashed` was made of `password`; takes as long for every wrong one. Rejects with `corrupt` / `record_malformed`. */
export async function matchesPassword(password: string, hashed: string): Promise<boolean> {
  const [, N, r, p, salt = "", hash = ""] = HASHED.exec(hashed) ?? [];
  if (hash === "")
    throw new DbError("corrupt", "record_malformed", "the hash of a user's password is none");
  const wanted = Buffer.from(hash, "hex");
  const cost = { N: Number(N), r: Number(r), p: Number(p) };
  const found = await derive(password, Buffer.from(salt, "hex"), wanted.length, cost);
  return timingSafeEqual(found, wanted);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
