/** Runs the conformance cases that lie beside the checkout, and holds what passes to the goals. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { suite, test } from "node:test";
import { mustHaveStores } from "#testing/stores/s3-server.ts";
import { Sandbox } from "../cluster.ts";
import { allowedCases, rewriteAllowed } from "./allowed.ts";
import { RUNS } from "./goals.ts";
import { CASES, countOf, idsOf, runCases } from "./run.ts";

const missing = !existsSync(CASES) && !mustHaveStores() && "the cases are not beside the checkout";

suite("conformance", () => {
  /** Those of all runs so far. */
  const failed = new Set<string>();
  for (const run of RUNS) {
    const skip = missing || (!run.isOn && "off");
    test(`${run.name}: what fails is known, and the goals are met`, { skip }, async (context) => {
      await using sandbox = await Sandbox.open();
      const outcome = await runCases(sandbox, run);
      const failing = outcome.failing.filter(({ category }) => !run.leftOut.includes(category));
      if (process.env["REWRITE"] === "1") {
        for (const { id } of failing) failed.add(id);
        rewriteAllowed(idsOf(run), failed);
        return;
      }
      for (const goal of run.goals) {
        const { count, passed } = countOf(outcome, run, goal);
        const what = goal.categories?.join(", ") ?? "all";
        const figures = `${passed} of ${count} passed, ${(100 * goal.share).toFixed(0)} % must (${what})`;
        context.diagnostic(figures);
        assert.ok(count > 0 && passed >= goal.share * count, figures);
      }
      const allowed = allowedCases();
      const unknown = failing.filter(({ id }) => !allowed.has(id));
      assert.deepEqual(
        unknown.map(({ category, id, why }) => `${id} [${category}] ${why}`),
        [],
      );
    });
  }
});
