import { PLANTED_BUGS } from "#sim/planted-bugs.ts";
import { RAFT_BUGS } from "#sim/raft/planted-bugs.ts";
import { huntBugs } from "./hunting.ts";

/** Plants one bug after the other; answers those that the simulated world did not find. */
export function runBugs({ seedCountMax }: { seedCountMax: number }): Promise<string[]> {
  return huntBugs("cluster", Object.keys(PLANTED_BUGS), seedCountMax);
}

/** The same with those of raft groups. */
export function runRaftBugs({ seedCountMax }: { seedCountMax: number }): Promise<string[]> {
  return huntBugs("raft", Object.keys(RAFT_BUGS), seedCountMax);
}
