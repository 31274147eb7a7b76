/** Scripts that ask what a majority, or two, have committed or voted for. */
import { type PeerId, peerId } from "../message.ts";
import { allVoters, committedIndex, type JointQuorum, voteResult } from "../quorum/joint.ts";
import { majorityCommitted, majorityVote } from "../quorum/majority.ts";
import type { Directive } from "./script.ts";

const VOTE_NAMES = { won: "VoteWon", lost: "VoteLost", pending: "VotePending" } as const;

export class QuorumScript {
  run({ command, args }: Directive): string {
    const list = (key: string) => args.find((one) => one.key === key)?.values ?? [];
    const joint = args.some(({ key }) => key === "cfgj");
    const voters = list("cfg").map(toPeer);
    const votersOutgoing = list("cfgj")
      .filter((value) => value !== "zero")
      .map(toPeer);
    const quorum = { voters: new Set(voters), votersOutgoing: new Set(votersOutgoing) };
    const given = list(command === "vote" ? "votes" : "idx");
    // Each voter once, in the order of the two lists.
    const asked = [...new Set([...voters, ...votersOutgoing])];
    if (asked.length !== given.length) {
      return `error: mismatched input (explicit or _) for voters ${asked.join(" ")}: ${given.join(" ")}`;
    }
    const known = new Map(
      asked.map((id, i) => [id, given[i] ?? "_"] as const).filter(([, value]) => value !== "_"),
    );
    if (command === "vote") return runVote(quorum, joint, known);
    if (command === "committed") return runCommitted(quorum, joint, known);
    return "unknown command";
  }
}

function runVote(quorum: JointQuorum, joint: boolean, known: ReadonlyMap<PeerId, string>): string {
  const votes = new Map([...known].map(([id, value]) => [id, value === "y"] as const));
  if (!joint) return VOTE_NAMES[majorityVote(quorum.voters, votes)];
  const { voters, votersOutgoing } = quorum;
  const result = voteResult(quorum, votes);
  const turned = voteResult({ voters: votersOutgoing, votersOutgoing: voters }, votes);
  const note = turned === result ? "" : `${VOTE_NAMES[turned]} <-- via symmetry\n`;
  return note + VOTE_NAMES[result];
}

function runCommitted(
  quorum: JointQuorum,
  joint: boolean,
  known: ReadonlyMap<PeerId, string>,
): string {
  const acked = (id: PeerId) => {
    const value = known.get(id);
    return value === undefined ? undefined : Number(value);
  };
  const { voters, votersOutgoing } = quorum;
  const index = joint ? committedIndex(quorum, acked) : majorityCommitted(voters, acked);
  const turned = committedIndex({ voters: votersOutgoing, votersOutgoing: voters }, acked);
  const note = turned === index ? "" : `${describeIndex(turned)} <-- via symmetry\n`;
  return describeAcks(allVoters(quorum), acked) + note + describeIndex(index);
}

/** A bar for each voter, the longer the more others are behind it. */
function describeAcks(
  voters: ReadonlySet<PeerId>,
  acked: (id: PeerId) => number | undefined,
): string {
  if (voters.size === 0) return "<empty majority quorum>";
  const indexes = [...voters].map((id) => acked(id) ?? 0);
  const width = voters.size;
  const rows = [...voters]
    .toSorted((one, other) => one - other)
    .map((id) => {
      const index = acked(id);
      const behind = indexes.filter((other) => other < (index ?? 0)).length;
      const bar = index === undefined ? "?" : `${"x".repeat(behind)}>`;
      return `${bar.padEnd(width + 1)} ${String(index ?? 0).padStart(5)}    (id=${id})\n`;
    });
  return `${" ".repeat(width)}    idx\n${rows.join("")}`;
}

function describeIndex(index: number): string {
  return Number.isFinite(index) ? String(index) : "∞";
}

function toPeer(value: string): PeerId {
  return peerId(Number(value));
}
