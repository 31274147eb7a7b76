/** Slips in raft, and in what drives it, that the seeds of `universe.ts` must find: `node src/sim/raft/hunt.ts --bug NAME`. */
import type { PlantedBug } from "../planted-bugs.ts";

export const RAFT_BUGS: Readonly<Record<string, PlantedBug>> = {
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
        find: 'if (raft.options.readMode === "lease") {',
        replace: 'if (raft.role === "leader") {',
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
