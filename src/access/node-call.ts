/** Calls between nodes: proofs that who calls and who answers know the cluster's secret, which itself is never sent (docs/decisions/0012). */
import { createHmac, hash } from "node:crypto";
import { assert, DbError } from "#base/errors.ts";
import type { Catalog } from "#catalog/catalog.ts";
import type { Epoch, NodeNumber } from "#model/ids.ts";
import type { Callee, Transport } from "#ports/transport.ts";
import { equalTexts } from "./equal-texts.ts";
import { type NodePrincipal, unauthenticated } from "./principal.ts";

/** The scheme of their `Authorization`. */
export const CALL_SCHEME = "Tidelake";
/** The header of an answer that bears its proof. */
export const ANSWER_PROOF_HEADER = "tidelake-proof";

/** What a proof is good for, beside the body. */
export interface NodeCall {
  readonly method: string;
  /** With its query. */
  readonly path: string;
}

/** One start of a node, with what all nodes of its cluster know. */
export interface Member extends Callee {
  readonly secret: string;
}

/** Who calls whom, and the how manieth call of the one start to the other node this is: none has the number of another. */
export interface CallMark {
  readonly from: Callee;
  readonly to: Callee;
  readonly number: number;
}

/** Node, epoch and number of who calls; the body's hash; and what only who knows the secret makes of that, the call and who is meant. */
const PROOF = /^(\d{1,15})\.(\d{1,15})\.(\d{1,15})\.([0-9a-f]{64})\.([0-9a-f]{64})$/;
/** Calls of one node that may arrive behind a later one of it. */
const LATE_CALLS_MAX = 1_024;

/** The start of a node that `catalog` speaks for; undefined before the cluster has its secret. */
export function memberOf({ state, writer }: Catalog): Member | undefined {
  const secret = state.cluster?.secret;
  return secret === undefined ? undefined : { ...writer, secret };
}

/**
 * `transport`, whose calls of a certain node carry the proof that `self` makes them, and whose answers have to carry one as well: what somebody
 * else answers at that address is no answer (`unavailable` / `peer_unreachable`). A refusal needs no proof: nothing is believed of it.
 */
export function signedTransport(transport: Transport, self: () => Member | undefined): Transport {
  const counts = new Map<NodeNumber, number>();
  return {
    async send(address, request) {
      const { to, body } = request;
      if (to === undefined) return transport.send(address, request);
      const member = self();
      assert(member !== undefined, "who calls a certain node has registered");
      const number = (counts.get(to.node) ?? 0) + 1;
      counts.set(to.node, number);
      const authorization = signCall(member, { from: member, to, number }, request, body);
      const answer = await transport.send(address, { ...request, authorization });
      if (answer.status < 300 && !isProven(member, authorization, answer)) {
        throw new DbError(
          "unavailable",
          "peer_unreachable",
          `what answers at ${address} does not show that it is a node of this cluster`,
          { detail: { address, path: request.path } },
        );
      }
      return answer;
    },
  };
}

/** The `Authorization` of `call` with `body`. */
export function signCall(
  { secret }: Pick<Member, "secret">,
  mark: CallMark,
  call: NodeCall,
  body?: Uint8Array,
): string {
  const { from, number } = mark;
  const bodyHash = hashBody(body);
  const seal = sealOfCall(secret, mark, call, bodyHash);
  return `${CALL_SCHEME} ${from.node}.${from.epoch}.${number}.${bodyHash}.${seal}`;
}

/** Who made `call`, if `proof` shows that it is a node of the cluster and that `self` is meant, in this very start. */
export function verifyCall(self: Member, call: NodeCall, proof: string): NodePrincipal | undefined {
  const [, node, epoch, count, bodyHash, seal] = PROOF.exec(proof) ?? [];
  if (bodyHash === undefined || seal === undefined) return undefined;
  const from = { node: Number(node) as NodeNumber, epoch: Number(epoch) };
  const number = Number(count);
  if (!equalTexts(sealOfCall(self.secret, { from, to: self, number }, call, bodyHash), seal))
    return undefined;
  return {
    kind: "node",
    from,
    number,
    bodyHash,
    proveAnswer: (status, body) => sealOfAnswer(self.secret, seal, status, body),
  };
}

/** Throws `denied` / `unauthenticated` unless `body` is what the node sent. */
export function checkBody({ bodyHash }: NodePrincipal, body: Uint8Array): void {
  if (hashBody(body) !== bodyHash) throw unauthenticated();
}

/** The proof of the answer to a call that came with `authorization`. */
export function proveAnswer(
  { secret }: Pick<Member, "secret">,
  authorization: string,
  { status, body }: { readonly status: number; readonly body?: Uint8Array },
): string {
  const seal = authorization.slice(authorization.lastIndexOf(".") + 1);
  return sealOfAnswer(secret, seal, status, body);
}

/** Which calls of each node have come: one that is heard again, or of an earlier start than others, is refused. */
export class CallsTaken {
  readonly #nodes = new Map<NodeNumber, { epoch: Epoch; last: number; numbers: Set<number> }>();

  /** Whether a call that has proven itself comes for the first time. One that is very late counts as heard. */
  take({ from: { node, epoch }, number }: Pick<NodePrincipal, "from" | "number">): boolean {
    const known = this.#nodes.get(node);
    if (known === undefined || known.epoch < epoch) {
      this.#nodes.set(node, { epoch, last: number, numbers: new Set([number]) });
      return true;
    }
    const { last, numbers } = known;
    if (known.epoch > epoch || number <= last - LATE_CALLS_MAX || numbers.has(number)) return false;
    known.last = Math.max(last, number);
    numbers.add(number);
    if (numbers.size > 2 * LATE_CALLS_MAX)
      for (const old of numbers) if (old <= known.last - LATE_CALLS_MAX) numbers.delete(old);
    return true;
  }
}

function isProven(
  member: Member,
  authorization: string,
  answer: { readonly status: number; readonly body: Uint8Array; readonly proof?: string },
): boolean {
  const { proof } = answer;
  return proof !== undefined && equalTexts(proveAnswer(member, authorization, answer), proof);
}

function sealOfCall(
  secret: string,
  { from, to, number }: CallMark,
  { method, path }: NodeCall,
  bodyHash: string,
): string {
  const ends = `${from.node}.${from.epoch} ${to.node}.${to.epoch} ${number}`;
  return hmac(secret, `${CALL_SCHEME} call 2\n${ends}\n${method} ${path}\n${bodyHash}`);
}

function sealOfAnswer(secret: string, callSeal: string, status: number, body?: Uint8Array): string {
  return hmac(secret, `${CALL_SCHEME} answer 2\n${callSeal}\n${status}\n${hashBody(body)}`);
}

function hmac(secret: string, text: string): string {
  return createHmac("sha256", secret).update(text).digest("hex");
}

function hashBody(body: Uint8Array = new Uint8Array(0)): string {
  return hash("sha256", body);
}
