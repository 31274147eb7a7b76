import { isKind } from "#base/errors.ts";
import type { Catalog } from "#catalog/catalog.ts";
import type { CatalogState } from "#catalog/catalog-state.ts";
import type { Manifest, OfficePlan } from "#manifest/manifest.ts";
import type { ManifestState } from "#manifest/manifest-state.ts";
import type { Writer } from "#objectlog/shared-log.ts";

export interface PlanLogs {
  readonly catalog: Catalog;
  readonly manifest: Manifest;
}

/** What an entry will say, without what it needs. */
export type PlanContent<Plan = OfficePlan> = Plan extends OfficePlan ? Omit<Plan, "needs"> : never;

const ATTEMPTS_MAX = 5;

/**
 * Publishes what `plan` makes of the newest manifest and of a catalog that knows what that names (rule 7); answers whether there was
 * anything to publish. A plan that meets a barrier is made anew with the catalog that the barrier names.
 */
export async function publishPlan(
  { catalog, manifest }: PlanLogs,
  office: Writer,
  plan: (manifest: ManifestState, catalog: CatalogState) => PlanContent | undefined,
): Promise<boolean> {
  for (let attempt = 1; ; attempt++) {
    const known = await catalog.reach(manifest.state.needs.catalog);
    const needs = { catalog: known.position, manifest: 0 };
    let published = false;
    try {
      await manifest.publish(office, (current) => {
        const content = plan(current, known);
        published = content !== undefined;
        return content && { ...content, needs };
      });
      return published;
    } catch (error) {
      const stale = isKind(error, "conflict") && error.code === "plan_stale";
      if (!stale || attempt === ATTEMPTS_MAX) throw error;
    }
  }
}
