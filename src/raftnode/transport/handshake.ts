/**
 * How two peers greet each other (docs/formats/raft-messages.md): the one who connected says who it is and whom it wants, and, where the group
 * has a secret, both prove that they know it. The secret itself is never sent.
 */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { utf8 } from "#base/bytes.ts";
import { DbError } from "#base/errors.ts";
import { v } from "#base/schema.ts";
import { type PeerId, peerId } from "#raft/message.ts";
import { encodeFrame, type FrameReader } from "./frame.ts";

const VERSION = 1;
/** Before a peer has shown who it is, it sends no more at once. */
const FRAME_SIZE_MAX = 4_096;
const NONCE_SIZE = 32;

export interface Identity {
  readonly self: PeerId;
  /** The name of the group: two groups on one network do not mix. */
  readonly group: string;
  readonly secret: string | undefined;
}

/** What a connection is for. */
export type Purpose = "messages" | "snapshot";

export interface Greeting {
  readonly from: PeerId;
  readonly purpose: Purpose;
}

interface Wire {
  readonly reader: FrameReader;
  readonly write: (bytes: Uint8Array) => void;
}

const peer = v.pipe(
  v.number(),
  v.transform((value) => peerId(value)),
);
const hello = v.object({
  version: v.number(),
  group: v.string(),
  from: peer,
  to: peer,
  purpose: v.picklist(["messages", "snapshot"]),
  nonce: v.string(),
});
const answer = v.object({ nonce: v.string(), proof: v.string(), refused: v.optional(v.string()) });
const proof = v.object({ proof: v.string() });
const verdict = v.object({ refused: v.optional(v.string()) });

/** Greets the peer `to`; rejects with `denied` / `raft_peer_refused` where either is not who the other wants. */
export async function greet(
  wire: Wire,
  identity: Identity,
  to: PeerId,
  purpose: Purpose,
): Promise<void> {
  const { group, self } = identity;
  const nonce = randomBytes(NONCE_SIZE).toString("hex");
  const said = { version: VERSION, group, from: self, to, purpose, nonce };
  write(wire, said);
  const answered = await read(wire, answer);
  refuseIf(answered.refused);
  const talk = [group, self, to, purpose, nonce, answered.nonce].join("\n");
  if (!isProof(identity, `answer\n${talk}`, answered.proof))
    throw refused(`peer ${to} does not know this group's secret`);
  write(wire, { proof: proofOf(identity, `call\n${talk}`) });
  refuseIf((await read(wire, verdict)).refused);
}

/** Who has connected, and what for; rejects with `denied` / `raft_peer_refused`, and tells the other side, where it is none of ours. */
export async function receiveGreeting(wire: Wire, identity: Identity): Promise<Greeting> {
  const said = await read(wire, hello);
  const refusal = refusalOf(said, identity);
  const nonce = randomBytes(NONCE_SIZE).toString("hex");
  const { from, group, purpose, to } = said;
  const talk = [group, from, to, purpose, said.nonce, nonce].join("\n");
  if (refusal !== undefined) {
    write(wire, { nonce: "", proof: "", refused: refusal });
    throw refused(refusal);
  }
  write(wire, { nonce, proof: proofOf(identity, `answer\n${talk}`) });
  const shown = await read(wire, proof);
  if (!isProof(identity, `call\n${talk}`, shown.proof)) {
    const why = `peer ${from} does not know this group's secret`;
    write(wire, { refused: why });
    throw refused(why);
  }
  write(wire, {});
  return { from, purpose };
}

function refusalOf(
  said: v.InferOutput<typeof hello>,
  { group, self }: Identity,
): string | undefined {
  if (said.version !== VERSION) return `version ${said.version} is spoken, and ${VERSION} here`;
  if (said.group !== group) return `this is group ${group}, not ${said.group}`;
  if (said.to !== self) return `this is peer ${self}, not ${said.to}`;
  if (said.from === self) return `peer ${self} calls itself: two nodes have one number`;
  return undefined;
}

/** Empty where the group has no secret. */
function proofOf({ secret }: Identity, text: string): string {
  if (secret === undefined) return "";
  return createHmac("sha256", secret).update(`tidelake raft ${VERSION}\n${text}`).digest("hex");
}

function isProof(identity: Identity, text: string, shown: string): boolean {
  const [expected, given] = [utf8(proofOf(identity, text)), utf8(shown)];
  return expected.length === given.length && timingSafeEqual(expected, given);
}

function write({ write: send }: Wire, value: unknown): void {
  send(encodeFrame(utf8(JSON.stringify(value))));
}

async function read<const Schema extends v.GenericSchema>(
  { reader }: Wire,
  schema: Schema,
): Promise<v.InferOutput<Schema>> {
  const body = await reader.next(FRAME_SIZE_MAX);
  if (body === undefined) throw refused("the other side has hung up");
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(body).toString());
  } catch {
    throw refused("the other side does not speak as peers do");
  }
  const result = v.safeParse(schema, value);
  if (!result.success) throw refused("the other side does not speak as peers do");
  return result.output;
}

function refuseIf(why: string | undefined): void {
  if (why !== undefined) throw refused(why);
}

function refused(why: string): DbError {
  return new DbError(
    "denied",
    "raft_peer_refused",
    `A raft peer is not let in, or lets nobody in: ${why}.`,
  );
}
