import { registerHooks } from "node:module";
import { assert } from "#base/errors.ts";
import { withBug } from "../planted-bugs.ts";
import type { playScenario } from "./rules.ts";
import { RULE_SLIPS } from "./slips.ts";

const MARK = "?slip=";

/**
 * Plays the schedule of the slip `name` on modules of their own, which are loaded with the slip planted; answers what is noticed.
 * Modules that are loaded otherwise are not touched.
 */
export async function playSlip(name: string, seed: number): Promise<readonly string[]> {
  const slip = RULE_SLIPS[name];
  assert(slip !== undefined, `there is no slip ${name}`);
  const mark = `${MARK}${name}`;
  let planted = false;
  const hooks = registerHooks({
    resolve(specifier, context, nextResolve) {
      const resolved = nextResolve(specifier, context);
      const ours = resolved.url.startsWith("file:") && !resolved.url.includes("/node_modules/");
      const marked = context.parentURL?.endsWith(mark) === true && ours;
      return marked ? { ...resolved, url: `${resolved.url}${mark}` } : resolved;
    },
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      if (!url.endsWith(`/src/${slip.file}${mark}`)) return loaded;
      const source = withBug(loaded.source, name, slip);
      planted = true;
      return { ...loaded, source };
    },
  });
  try {
    const rules = (await import(`./rules.ts${mark}`)) as { playScenario: typeof playScenario };
    const violations = await rules.playScenario(slip.scenario, seed);
    assert(planted, `the slip ${name} is in a module that its schedule uses`);
    return violations;
  } finally {
    hooks.deregister();
  }
}
