/** Slips in raft, and in what drives it, that the seeds of `universe.ts` must find: `node src/sim/raft/hunt.ts --bug NAME`. */
import type { PlantedBug } from "../planted-bugs.ts";

export const RAFT_BUGS: Readonly<Record<string, PlantedBug | readonly PlantedBug[]>> = {
  votes_twice: {
    file: "raft/protocol/election.ts",
    edits: [
      {
        find: "const free = raft.vote === from || (raft.vote === NOBODY && raft.leader === NOBODY);",
        replace: "const free = true;",
      },
    ],
  },
  older_log_elected: {
    file: "raft/protocol/election.ts",
    edits: [
      {
        find: "const upToDate = raft.log.isUpToDate({ term: request.logTerm, index: request.index });",
        replace: "const upToDate = true;",
      },
    ],
  },
  votes_asked_before_stored: {
    file: "raft/options.ts",
    edits: [{ find: "votesAfterAppend: true,", replace: "votesAfterAppend: false," }],
  },
  older_term_committed: {
    file: "raft/protocol/replication.ts",
    edits: [
      {
        find: "return raft.log.maybeCommit({ term: raft.term, index: raft.tracker.committed() });",
        replace: `const index = raft.tracker.committed();
  return raft.log.maybeCommit({ term: raft.log.term(index) ?? 0, index });`,
      },
    ],
  },
  joint_by_one_side: {
    file: "raft/quorum/joint.ts",
    edits: [
      { find: "majorityCommitted(quorum.votersOutgoing, acked),", replace: "" },
      {
        find: "const other = majorityVote(quorum.votersOutgoing, votes);",
        replace: "const other = one;",
      },
    ],
  },
  learner_counted: {
    file: "raft/tracker/tracker.ts",
    edits: [
      {
        find: "const index = committedIndex(this.#configuration, (id)",
        replace: `const { learners, voters, votersOutgoing } = this.#configuration;
    const index = committedIndex({ voters: voters.union(learners), votersOutgoing }, (id)`,
      },
    ],
  },
  read_unconfirmed: {
    file: "raft/protocol/read-index.ts",
    edits: [
      {
        find: 'if (raft.options.readMode === "lease" || raft.tracker.isOnlyVoter(raft.id)) {',
        replace: 'if (raft.role === "leader") {',
      },
    ],
  },
  lone_voter_trusted: {
    file: "raft/protocol/read-index.ts",
    edits: [
      {
        find: "if (!hasCommittedInTerm(raft)) {",
        replace: "if (!raft.tracker.isOnlyVoter(raft.id) && !hasCommittedInTerm(raft)) {",
      },
    ],
  },
  applied_before_commit: {
    file: "raft/log/log.ts",
    edits: [
      {
        find: "return unstableAllowed ? this.#committed : Math.min(this.#committed, this.#unstable.offset - 1);",
        replace: "return this.#unstable.offset - 1;",
      },
      {
        find: "assert(last.index <= this.#committed, `entry ${last.index} is to be applied uncommitted`);",
        replace: "",
      },
      { find: "this.#applied <= index && index <= this.#committed,", replace: "true," },
    ],
  },
  committed_truncated: [
    {
      file: "raft/log/log.ts",
      edits: [
        {
          find: "const conflict = entries.findIndex((entry) => !this.matches(entry));",
          replace: "const conflict = entries.length > 0 ? 0 : -1;",
        },
        { find: "first.index > this.#committed,", replace: "true," },
      ],
    },
    {
      file: "raft/protocol/following.ts",
      edits: [
        { find: "if (index < log.committed) {", replace: "if (index < log.firstIndex() - 1) {" },
      ],
    },
  ],
  snapshot_over_newer_log: {
    file: "raft/protocol/following.ts",
    edits: [
      { find: "if (snapshot.index <= log.committed) return false;", replace: "" },
      { find: "if (log.matches(snapshot)) {", replace: "if (false) {" },
    ],
  },
  vote_not_synced: {
    file: "raftnode/member/storing.ts",
    edits: [
      {
        find: "if (term !== known.term || vote !== known.vote) return undefined;",
        replace: "",
      },
    ],
  },
  answered_before_stored: {
    file: "raftnode/member/storing.ts",
    edits: [
      {
        find: "      await this.#write(batch);\n",
        replace: `      for (const job of batch)
        if (job.kind === "append" && job.message.snapshot === undefined)
          this.#options.stored(job.message);
      await this.#write(batch);
`,
      },
      {
        find: "if (!this.#jobs.stopped) this.#options.stored(job.message);",
        replace:
          "if (!this.#jobs.stopped && snapshot !== undefined) this.#options.stored(job.message);",
      },
    ],
  },
  log_not_synced: {
    file: "raftnode/log/durable-log.ts",
    edits: [
      {
        find: "    await this.#file.sync();\n    this.#syncCount += 1;",
        replace: "    this.#syncCount += 1;",
      },
    ],
  },
};
