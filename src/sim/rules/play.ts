import { assert } from "#base/errors.ts";
import { withMounted } from "./mounting.ts";
import type { playScenario } from "./rules.ts";
import { RULE_SLIPS } from "./slips.ts";

/** Plays the schedule of the slip `name` on modules that are loaded with the slip planted; answers what is noticed. */
export async function playSlip(name: string, seed: number): Promise<readonly string[]> {
  const slip = RULE_SLIPS[name];
  assert(slip !== undefined, `there is no slip ${name}`);
  return withMounted({ bug: slip, name, specifier: "./rules.ts" }, (module) => {
    const rules = module as { playScenario: typeof playScenario };
    return rules.playScenario(slip.scenario, seed);
  });
}
