/** Calls between nodes: proofs that who calls knows the cluster's secret, which itself is never sent (docs/decisions/0012). */
import { createHmac, hash, timingSafeEqual } from "node:crypto";
import { utf8 } from "#base/bytes.ts";
import type { Transport } from "#ports/transport.ts";
import { type NodePrincipal, unauthenticated } from "./principal.ts";

/** The scheme of their `Authorization`. */
export const CALL_SCHEME = "Tidelake";

/** What a proof is good for, beside the body. */
export interface NodeCall {
  readonly method: string;
  /** With its query. */
  readonly path: string;
}

/** A proof: the body's hash, and what only who knows the secret makes of that and the call. */
const PROOF = /^([0-9a-f]{64})\.([0-9a-f]{64})$/;

/** `transport`, whose requests carry the proof that this node knows `secret()`, once it does. */
export function signedTransport(transport: Transport, secret: () => string | undefined): Transport {
  return {
    send(address, request) {
      const known = secret();
      if (known === undefined) return transport.send(address, request);
      const authorization = signCall(known, request, request.body);
      return transport.send(address, { ...request, authorization });
    },
  };
}

/** The `Authorization` of `call` with `body`. */
export function signCall(secret: string, call: NodeCall, body?: Uint8Array): string {
  const bodyHash = hashBody(body);
  return `${CALL_SCHEME} ${bodyHash}.${sealOf(secret, call, bodyHash)}`;
}

/** Who made `call`, if `proof` shows that it is a node which knows `secret`. */
export function verifyCall(
  secret: string,
  call: NodeCall,
  proof: string,
): NodePrincipal | undefined {
  const [, bodyHash, seal] = PROOF.exec(proof) ?? [];
  if (bodyHash === undefined || seal === undefined) return undefined;
  const isTrue = timingSafeEqual(utf8(sealOf(secret, call, bodyHash)), utf8(seal));
  return isTrue ? { kind: "node", bodyHash } : undefined;
}

/** Throws `denied` / `unauthenticated` unless `body` is what the node sent. */
export function checkBody({ bodyHash }: NodePrincipal, body: Uint8Array): void {
  if (hashBody(body) !== bodyHash) throw unauthenticated();
}

function hashBody(body: Uint8Array = new Uint8Array(0)): string {
  return hash("sha256", body);
}

function sealOf(secret: string, { method, path }: NodeCall, bodyHash: string): string {
  const text = `${CALL_SCHEME} call 1\n${method} ${path}\n${bodyHash}`;
  return createHmac("sha256", secret).update(text).digest("hex");
}
