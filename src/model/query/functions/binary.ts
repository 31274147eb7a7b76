/**
 * Functions of bytes, with arguments of exactly these types; NULL for a NULL argument.
 *
 * `bytes_of` (text) → binary: as UTF-8. `bytes_length` (binary) → int32. `encode_hex`, `encode_base64` (binary; the latter without `=`
 *   at its end) → string. `decode_hex`, `decode_base64` (text) → binary; other text is an error `cast_failed`.
 * `digest` (binary, literal text: one of `Digest`) → binary.
 */
export type BinaryFunction =
  | "bytes_of"
  | "bytes_length"
  | "encode_hex"
  | "encode_base64"
  | "decode_hex"
  | "decode_base64"
  | "digest";

export const DIGESTS = [
  "md5",
  "sha224",
  "sha256",
  "sha384",
  "sha512",
  "blake2b",
  "blake2s",
  "blake3",
] as const;

export type Digest = (typeof DIGESTS)[number];
