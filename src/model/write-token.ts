import { DbError } from "#base/errors.ts";
import type { NodeNumber, Position } from "./ids.ts";
import type { OrderStamp } from "./stamp.ts";

/** Where an acknowledged write is. Opaque to clients; a read that brings it waits until its node has that write. */
export interface WriteToken {
  readonly catalog: Position;
  readonly node: NodeNumber;
  readonly position: Position;
  /** A write that brings the token is ordered above this. */
  readonly stamp: OrderStamp;
}

const FORMAT = /^1\.([0-9a-z]{1,11})\.([0-9a-z]{1,4})\.([0-9a-z]{1,11})\.([0-9a-z]{1,13})$/;

export function encodeWriteToken({ catalog, node, position, stamp }: WriteToken): string {
  return ["1", catalog, node, position, stamp]
    .map((part) => (typeof part === "string" ? part : part.toString(36)))
    .join(".");
}

/** Throws `invalid` / `write_token` where `text` is none of ours. */
export function parseWriteToken(text: string): WriteToken {
  const parts = FORMAT.exec(text);
  if (parts === null) {
    throw new DbError(
      "invalid",
      "write_token",
      `"${text}" is not a write token: send one as a write's answer gave it`,
    );
  }
  const [catalog, node, position] = parts.slice(1, 4).map((part) => Number.parseInt(part, 36));
  const stamp = Array.from(parts[4] ?? "").reduce(
    (sum, digit) => sum * 36n + BigInt(Number.parseInt(digit, 36)),
    0n,
  );
  return { catalog: catalog ?? 0, node: (node ?? 0) as NodeNumber, position: position ?? 0, stamp };
}
