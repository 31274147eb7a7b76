import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import { withBug } from "../planted-bugs.ts";
import { withMounted } from "../rules/mounting.ts";
import { RAFT_BUGS } from "./planted-bugs.ts";
import { runRaftUniverse } from "./universe.ts";

const SEEDS = 6;
/** Of those that the first seeds find; scripts/test-long.ts plants all of them. */
const PLANTED = [
  "votes_twice",
  "older_log_elected",
  "read_unconfirmed",
  "applied_before_commit",
] as const;
const PLANTED_SEEDS = 30;

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
