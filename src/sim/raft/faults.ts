/** What happens to a group, each counted when it is done. */
export const RAFT_FAULTS = [
  // To messages and snapshots on their way.
  "lost",
  "doubled",
  "delayed",
  "reordered",
  "cut",
  "unreachable",
  "snapshot_broken",
  "snapshot_late",
  // To processes.
  "crash",
  "crash_in_call",
  "crash_in_start",
  "pause",
  "clock_skew",
  // To disks.
  "power_failure",
  "write_lost",
  "write_torn",
  "slow_disk",
  "hung_disk",
  "failed_sync",
  "full_disk",
  // Shapes of a network that is divided.
  "halves",
  "one_way",
  "alone",
  "few_left",
  "bridge",
  "in_a_row",
  // To the group.
  "change",
  "joint_change",
  "split_by_change",
  "transfer",
  "campaign",
] as const;

export type RaftFault = (typeof RAFT_FAULTS)[number];

export type CountFault = (fault: RaftFault, count?: number) => void;
