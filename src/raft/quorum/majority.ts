import type { PeerId } from "../message.ts";

export type VoteResult = "won" | "lost" | "pending";

/** How far each voter is known to hold the log; undefined where nothing is known. */
export type AckedIndex = (id: PeerId) => number | undefined;

/**
 * The greatest index that more than half of `voters` hold. Infinity where nobody votes, so that the empty half of a joint quorum
 * does not hold the other back.
 */
export function majorityCommitted(voters: ReadonlySet<PeerId>, acked: AckedIndex): number {
  if (voters.size === 0) return Number.POSITIVE_INFINITY;
  const indexes: number[] = [];
  for (const id of voters) indexes.push(acked(id) ?? 0);
  indexes.sort((one, other) => other - one);
  return indexes[Math.floor(voters.size / 2)] ?? 0;
}

/** The result of `votes`, true for yes, of those who have voted. Nobody to ask is a victory. */
export function majorityVote(
  voters: ReadonlySet<PeerId>,
  votes: ReadonlyMap<PeerId, boolean>,
): VoteResult {
  if (voters.size === 0) return "won";
  const majority = Math.floor(voters.size / 2) + 1;
  let yes = 0;
  let missing = 0;
  for (const id of voters) {
    const vote = votes.get(id);
    if (vote === undefined) missing += 1;
    else if (vote) yes += 1;
  }
  if (yes >= majority) return "won";
  return yes + missing >= majority ? "pending" : "lost";
}
