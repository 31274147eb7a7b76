import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import { peerId } from "#raft/message.ts";
import { encodeCommand } from "#testing/raft/register-machine.ts";
import { withBug } from "../planted-bugs.ts";
import { withMounted } from "../rules/mounting.ts";
import { World } from "../world.ts";
import { Members } from "./members.ts";
import { RaftNetwork } from "./network.ts";
import { RAFT_BUGS } from "./planted-bugs.ts";
import { runRaftUniverse } from "./universe.ts";
import { Witness } from "./witness.ts";

const SEEDS = 6;
/** Of those that the first seeds find; scripts/test-long.ts plants all of them. */
const PLANTED = [
  "votes_twice",
  "older_log_elected",
  "read_unconfirmed",
  "applied_before_commit",
] as const;
const PLANTED_SEEDS = 30;
const uncounted = () => undefined;

suite("raft groups in the simulated world", () => {
  test("agree, lose nothing, and answer as one register would, whatever happens to them", async () => {
    let answeredCount = 0;
    let snapshotCount = 0;
    for (let seed = 1; seed <= SEEDS; seed++) {
      const outcome = await runRaftUniverse(seed);
      assert.deepEqual(outcome.violations, [], `seed ${seed}`);
      answeredCount += outcome.answeredCount;
      snapshotCount += outcome.snapshotCount;
    }
    assert.ok(answeredCount > 50 * SEEDS, `${answeredCount} operations were answered`);
    assert.ok(snapshotCount > SEEDS, `${snapshotCount} snapshots were restored`);
  });

  test("go on without members whose disks answer nothing, the leader's too, and have them back", async () => {
    const world = new World(1);
    const violations: string[] = [];
    const members = calmMembers(world, violations);
    const write = async (value: string) => {
      const leader = await untilDefined(world, () => members.leader());
      return leader.propose(encodeCommand({ kind: "write", key: "k0", value }));
    };
    await world.run(
      (async () => {
        members.startAll();
        assert.equal(await write("before"), true);
        const old = members.leader();
        assert.ok(old);
        members.hangDisk(old.status.id);
        let acknowledged = false;
        void old.propose(encodeCommand({ kind: "write", key: "k1", value: "hanging" })).then(
          () => (acknowledged = true),
          () => undefined,
        );
        const hungMs = world.nowMs;
        const next = await untilDefined(world, () =>
          members.ids
            .map((id) => members.life(id)?.member)
            .find((member) => member !== old && member?.status.role === "leader"),
        );
        assert.ok(world.nowMs - hungMs < 5_000, `${world.nowMs - hungMs} ms without a leader`);
        const follower = members.ids.find((id) => id !== old.status.id && id !== next.status.id);
        assert.ok(follower);
        members.hangDisk(follower);
        for (let count = 0; count < 20; count += 1) {
          const startedMs = world.nowMs;
          await next.propose(encodeCommand({ kind: "write", key: "k0", value: `${count}` }));
          assert.ok(world.nowMs - startedMs < 100, `${world.nowMs - startedMs} ms for a write`);
        }
        assert.equal(acknowledged, false);
        assert.equal(members.life(follower)?.machine.read("k0"), "before");

        members.makePeace();
        await world.sleep(3_000);
        for (const id of members.ids) {
          await members.life(id)?.member?.read();
          assert.equal(members.life(id)?.machine.read("k0"), "19");
        }
      })(),
    );
    assert.deepEqual(violations, []);
  });

  test("have planted bugs in places that are there", () => {
    for (const [name, bug] of Object.entries(RAFT_BUGS))
      for (const place of [bug].flat()) {
        const source = readFileSync(new URL(`../../${place.file}`, import.meta.url));
        assert.notEqual(withBug(source, name, place), source.toString());
      }
  });

  test("do not keep their promises when a bug is planted", async () => {
    for (const name of PLANTED) {
      const bug = [RAFT_BUGS[name] ?? []].flat()[0];
      assert.ok(bug, `there is a planted bug ${name}`);
      const found = await withMounted(
        { bug, name, specifier: "../raft/universe.ts" },
        async (universe) => {
          const { runRaftUniverse: run } = universe as { runRaftUniverse: typeof runRaftUniverse };
          for (let seed = 1; seed <= PLANTED_SEEDS; seed++)
            if ((await run(seed)).violations.length > 0) return true;
          return false;
        },
      );
      assert.ok(found, `${name} is found`);
    }
  });

  test("do the same for the same seed", async () => {
    const [first, again] = [await runRaftUniverse(3), await runRaftUniverse(3)];
    assert.deepEqual(again, first);
  });
});

/** Five members, to whom nothing happens. */
function calmMembers(world: World, violations: string[]): Members {
  const violate = (what: string) => void violations.push(what);
  const network = new RaftNetwork({ world, count: uncounted });
  network.calm = true;
  const ids = [1, 2, 3, 4, 5].map(peerId);
  const witness = new Witness({ violate, moment: () => undefined });
  const members = new Members({
    world,
    network,
    witness,
    violate,
    count: uncounted,
    ids,
    founders: ids,
    raft: {},
    callCrashChance: 0,
    callMsMax: 1.2,
    applyMsMax: 0,
  });
  members.makePeace();
  return members;
}

async function untilDefined<T>(world: World, find: () => T | undefined): Promise<T> {
  for (let count = 0; count < 100; count += 1) {
    const found = find();
    if (found !== undefined) return found;
    await world.sleep(100);
  }
  throw new Error("it does not come within ten seconds");
}
