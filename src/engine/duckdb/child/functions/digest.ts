import { createHash } from "node:crypto";
import type { Digest } from "#model/query/functions/binary.ts";
import { blake3 } from "./blake3.ts";

/** What the algorithms are called where they come from. */
const NAMES: Readonly<Record<Exclude<Digest, "blake3">, string>> = {
  md5: "md5",
  sha224: "sha224",
  sha256: "sha256",
  sha384: "sha384",
  sha512: "sha512",
  blake2b: "blake2b512",
  blake2s: "blake2s256",
};

export function digestOf(algorithm: Digest, bytes: Uint8Array): Uint8Array {
  if (algorithm === "blake3") return blake3(bytes);
  return createHash(NAMES[algorithm]).update(bytes).digest();
}
