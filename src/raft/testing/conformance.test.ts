import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import { mustHaveStores } from "#testing/stores/s3-server.ts";
import { describeDifference, runScript, runScripts } from "./conformance.ts";

const SCRIPTS = fileURLToPath(new URL("../../../../shared/conformance/raft", import.meta.url));
const skip = !existsSync(SCRIPTS) && !mustHaveStores() && "the scripts are not beside the checkout";

suite("raft conformance", () => {
  test("every answer of the scripts of others is ours", { skip }, () => {
    const failed = runScripts(SCRIPTS).flatMap(({ path, difference }) =>
      difference === undefined ? [] : [`${path}\n${describeDifference(difference)}`],
    );
    assert.deepEqual(failed, []);
  });

  test("the first answer that is another is told, with its line", () => {
    const difference = runScript("# Two voters.\nvote cfg=(1,2) votes=(y,_)\n----\nVoteWon\n");
    assert.equal(
      difference && describeDifference(difference),
      "line 2: vote cfg=(1,2) votes=(y,_)\n  - VoteWon\n  + VotePending",
    );
  });

  test("logs are not compared, and an answer of nothing else is none", () => {
    const text =
      "add-nodes 1 voters=(1) index=2\n----\nINFO 1 became follower\n\nraft-log 1\n----\n";
    const difference = runScript(text);
    assert.deepEqual(difference?.expected, []);
    assert.deepEqual(difference?.actual, ["log is empty: first index=3, last index=2"]);
  });

  test("what is no script fails, and so does a folder without any", () => {
    assert.ok(runScript("campaign 1\n"));
    assert.ok(runScript("# nothing\n"));
    assert.ok(runScript("fly 1\n----\nok\n"));
    assert.throws(() => runScripts("/nonexistent"), /no folder/);
    assert.throws(
      () => runScripts(fileURLToPath(new URL("../quorum", import.meta.url))),
      /no scripts/,
    );
  });
});
