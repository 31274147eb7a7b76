import type { Plan, ScanPlan } from "#model/plan.ts";

/** The scan that `plan` ends in; undefined where it reads no table. */
export function scanOf(plan: Plan): ScanPlan | undefined {
  let node = plan;
  while (node.kind !== "scan") {
    if (node.kind === "values") return undefined;
    node = node.input;
  }
  return node;
}
