import { DbError, describeError } from "#base/errors.ts";
import { NOBODY } from "#raft/message.ts";
import { diskErrorOf, errnoOf } from "../log/disk-error.ts";
import { DurableLog } from "../log/durable-log.ts";
import type { SnapshotMark } from "../log/items.ts";
import { SnapshotFolder } from "../snapshot/snapshot-folder.ts";
import type { MemberOptions } from "./member-options.ts";

/** Where a member is that knows nothing of its group. */
export const NO_MARK: SnapshotMark = {
  index: 0,
  term: 0,
  configuration: {
    voters: [],
    votersOutgoing: [],
    learners: [],
    learnersNext: [],
    autoLeave: false,
  },
};

/** What a member keeps on disk. */
export interface MemberDisk {
  readonly durable: DurableLog;
  readonly snapshotFolder: SnapshotFolder;
}

/** Reads what an earlier run left, or begins anew, and puts the state machine there. Rejects as `RaftMember.open` does. */
export async function openDisk<Answer>(options: MemberOptions<Answer>): Promise<MemberDisk> {
  const { files, folder, founders, log, machine, random, segmentSize } = options;
  await using opened = new AsyncDisposableStack();
  try {
    const snapshotFolder = await SnapshotFolder.open(files, `${folder}/snapshots`);
    const durable = opened.use(
      await DurableLog.open(files, `${folder}/log`, {
        random,
        log,
        ...(segmentSize !== undefined && { segmentSize }),
      }),
    );
    if (founders !== undefined) await found(options, { durable, snapshotFolder });
    const { mark } = durable.state;
    if (mark !== undefined) await machine.restore(snapshotFolder.read(mark));
    opened.move();
    return { durable, snapshotFolder };
  } catch (error) {
    throw failureOf(error, folder);
  }
}

/** The first state of a group: as if a snapshot of the empty state machine had come to each founder. */
async function found<Answer>(
  { founders = [], machine }: MemberOptions<Answer>,
  { durable, snapshotFolder }: MemberDisk,
): Promise<void> {
  const { state } = durable;
  if (state.mark !== undefined || state.lastIndex > 0 || state.hardState.term > 0) return;
  const voters = founders.toSorted((left, right) => left - right);
  const mark = { index: 1, term: 1, configuration: { ...NO_MARK.configuration, voters } };
  await snapshotFolder.write(mark, machine.capture());
  await durable.append([
    { kind: "installed", mark },
    { kind: "hardState", hardState: { term: 1, vote: NOBODY, commit: 1 } },
  ]);
}

/** Why a member with its files in `folder` works no more. */
export function failureOf(error: unknown, folder: string): DbError {
  if (error instanceof DbError) return error;
  if (errnoOf(error) !== undefined) return diskErrorOf(error, folder);
  const why = describeError(error);
  return new DbError(
    "internal",
    "raft_member_failed",
    `This member of the raft group has stopped: ${why}.`,
    { cause: error },
  );
}
