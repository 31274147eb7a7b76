import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { playSlip } from "./rules/play.ts";
import { playScenario, SCENARIOS, type ScenarioName } from "./rules/rules.ts";
import { RULE_SLIPS } from "./rules/slips.ts";

const SEED_COUNT = 5;
const NAMES = Object.keys(SCENARIOS) as ScenarioName[];

suite("the rules of object logs hold in the schedules that break weaker ones", () => {
  for (const name of NAMES) {
    test(name.replaceAll("_", " "), async () => {
      for (let seed = 1; seed <= SEED_COUNT; seed++)
        assert.deepEqual(await playScenario(name, seed), [], `seed ${seed}`);
    });
  }

  test("every schedule has a slip that it notices, and each of the eight rules has schedules", () => {
    const noticed = new Set(Object.values(RULE_SLIPS).map(({ scenario }) => scenario));
    assert.deepEqual(
      NAMES.filter((name) => !noticed.has(name)),
      [],
    );
    const rules = new Set(NAMES.map((name) => name.split("_")[0]));
    assert.equal(rules.size, 8);
  });
});

suite("each slip in a rule is noticed", () => {
  for (const name of Object.keys(RULE_SLIPS)) {
    test(name.replaceAll("_", " "), async () => {
      const violations = await playSlip(name, 1);
      assert.notDeepEqual(violations, []);
    });
  }
});
