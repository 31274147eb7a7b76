/** A raft group of three processes whose leader is killed under load, again and again. The long run is `bench/raft.ts`. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { seededRandom } from "#ports/random.ts";
import { checkLinearizable } from "#testing/raft/linearizable.ts";
import { RegisterGroup } from "../../scripts/raft/register-group.ts";
import { RegisterLoad } from "../../scripts/raft/register-load.ts";

const KILLS = 4;

suite("a raft group of processes", () => {
  test("goes on when its leader is killed, loses nothing that it answered, and reads what was written", async () => {
    await using group = await RegisterGroup.start(3, [
      "--snapshot-entries",
      "300",
      "--secret",
      "s",
    ]);
    await group.leader();
    const random = seededRandom(1);
    const load = new RegisterLoad({ group, random, clientCount: 8, keyCount: 10, thinkMs: 5 });
    for (let kill = 1; kill <= KILLS; kill++) {
      await load.writeAnswered();
      const leader = await group.leader();
      await group.kill(leader);
      await load.writeAnswered();
      await group.startNode(leader);
    }
    const history = await load.stop();
    assert.ok(history.length > 200, `${history.length} operations`);
    assert.equal(checkLinearizable(history).kind, "linearizable");
  });
});
