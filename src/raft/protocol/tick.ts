/** What time does: elections, heartbeats, the check of the quorum. */
import { NOBODY } from "../message.ts";
import { startCampaign } from "./election.ts";
import { checkQuorum } from "./leader.ts";
import { leaveJointIfDue } from "./proposals.ts";
import { broadcastHeartbeat } from "./replication.ts";
import type { RaftState } from "./state.ts";

/** One tick has passed. */
export function tick(raft: RaftState): void {
  if (raft.role === "leader") tickLeader(raft);
  else tickElection(raft);
}

function tickElection(raft: RaftState): void {
  raft.electionElapsed += 1;
  if (raft.electionElapsed < raft.electionTimeoutTicks || !raft.canLead()) return;
  raft.electionElapsed = 0;
  startCampaign(raft, raft.options.preVote ? "pre_vote" : "vote");
}

function tickLeader(raft: RaftState): void {
  const { electionTicks, heartbeatTicks } = raft.options;
  raft.heartbeatElapsed += 1;
  raft.electionElapsed += 1;
  if (raft.electionElapsed >= electionTicks) {
    raft.electionElapsed = 0;
    if (raft.options.checkQuorum) checkQuorum(raft);
    // Who was to take over has not done so: this node goes on.
    if (raft.role === "leader" && raft.transferee !== NOBODY) {
      raft.transferee = NOBODY;
      leaveJointIfDue(raft);
    }
  }
  if (raft.role === "leader" && raft.heartbeatElapsed >= heartbeatTicks) {
    raft.heartbeatElapsed = 0;
    broadcastHeartbeat(raft, raft.reads.last());
  }
}
