import type { PlantedBug } from "../planted-bugs.ts";
import type { ScenarioName } from "./rules.ts";

/** What a slip would make of a rule, and the schedule that must notice. */
export interface RuleSlip extends PlantedBug {
  readonly scenario: ScenarioName;
}

const WRITER = "nodelog/node-log-writer.ts";
const SHARED = "objectlog/shared-log.ts";
const LOG = "objectlog/object-log.ts";
const TRACKER = "objectlog/log-tracker.ts";
const ORPHANS = "lifecycle/orphans.ts";
const MANIFEST = "manifest/manifest.ts";
const SWEEP = "compaction/garbage/sweep.ts";
const CLEANUP = "compaction/garbage/cleanup.ts";

function slip(scenario: ScenarioName, file: string, find: string, replace = ""): RuleSlip {
  return { scenario, file, edits: [{ find, replace }] };
}

/** One slip for each thing that a rule says. */
export const RULE_SLIPS: Readonly<Record<string, RuleSlip>> = {
  any_store_will_do: slip(
    "rule1_store_that_overwrites",
    "node/members/registration.ts",
    "if (await probePutIfAbsent(ports.store, `${config.clusterId}/probe/`, ports.random)) return;",
    "return;",
  ),
  nonce_not_read_back: slip("rule2_answer_lost", LOG, "if (found?.nonce === nonce) return won;"),
  silence_taken_for_success: slip(
    "rule2_put_not_done",
    LOG,
    'if (error.kind === "unavailable") options.onTrouble?.(error);',
    'if (error.kind === "unavailable") return won;',
  ),
  number_given_up: slip(
    "rule2_put_lands_late",
    LOG,
    'if (!isKind(error, "conflict") && !isKind(error, "unavailable")) throw error;',
    'if (!isKind(error, "conflict")) throw error;',
  ),
  fenced_writer_goes_on: slip(
    "rule3_higher_epoch_found",
    WRITER,
    "if (!settled.won) throw this.#refuse(settled.found.epoch);",
    `if (!settled.won) {
      await this.#tracker.advance({ certain: true });
      return this.#append(content, needs, onTrouble);
    }`,
  ),
  fenced_writer_cleans_up: slip(
    "rule3_higher_epoch_found",
    WRITER,
    `Promise<void> {
    if (this.#fenced !== undefined) throw this.#fenced;`,
    "Promise<void> {",
  ),
  checkpoint_epoch_ignored: slip(
    "rule3_higher_epoch_in_checkpoint",
    WRITER,
    "if (this.state.epoch >= writer.epoch) throw this.#refuse(this.state.epoch);",
  ),
  any_other_epoch_is_higher: slip(
    "rule3_lower_epoch_is_damage",
    WRITER,
    "foundEpoch > writer.epoch",
    "foundEpoch !== writer.epoch",
  ),
  fences_deleted: slip(
    "rule3_fence_outlives_clean_up",
    WRITER,
    ".filter((position) => !fences.has(position))",
  ),
  idle_writer_shrugs: slip(
    "rule3_idle_writer_looks",
    WRITER,
    "if (found !== undefined) throw this.#refuse(found.epoch);",
  ),
  replaced_process_writes_catalog: slip(
    "rule3_shared_log_fences_epochs",
    SHARED,
    "this.#refuseWhenFenced(writer());",
  ),
  stone_of_another_nonce: slip(
    "rule4_stone_keeps_nonce",
    LOG,
    "toEnvelope(stone, entry.position, entry.nonce)",
    'toEnvelope(stone, entry.position, "0".repeat(32))',
  ),
  shared_entries_deleted: slip(
    "rule4_shared_entries_stay",
    SHARED,
    "await log.layStone(entry, state.position);",
    "await log.deleteEntry(entry.position);",
  ),
  deleted_without_checkpoint: slip(
    "rule4_checkpoint_before_deletion",
    WRITER,
    "await log.writeCheckpoint(state.position, { ...record, ...encodeCheckpoint(state) });",
  ),
  deleted_above_adopted: slip(
    "rule4_adopted_before_deletion",
    WRITER,
    "Math.min(state.position - coveredEntriesToKeep, adopted.position)",
    "state.position - coveredEntriesToKeep",
  ),
  checkpoints_deleted: slip(
    "rule4_two_checkpoints_stay",
    LOG,
    "positions.slice(0, -2)",
    "positions",
  ),
  void_fence_believed: slip(
    "rule5_void_fence_won",
    WRITER,
    "if (await this.#tracker.restoreNewest()) continue;",
  ),
  void_strictly_below: slip(
    "rule5_void_fence_at_checkpoint",
    TRACKER,
    "if (newest <= this.#state.position) return false;",
    "if (newest <= this.#state.position + 1) return false;",
  ),
  met_fence_believed: slip(
    "rule5_void_fence_met",
    TRACKER,
    "else if (await this.#isPassedOver(entry, ahead)) continue;",
  ),
  hole_taken_for_tail: slip("rule5_hole_is_no_tail", TRACKER, "if (!certain) return;", "return;"),
  orphans_without_fence: slip(
    "rule6_orphans_under_fence",
    WRITER,
    "const settled = await log.append(this.state.position + 1, fence, { signal });",
    `if (writer.epoch > 1) return;
      const settled = await log.append(this.state.position + 1, fence, { signal });`,
  ),
  own_epoch_is_orphaned: slip(
    "rule6_live_files_stay",
    ORPHANS,
    "writtenIn < epoch",
    "writtenIn <= epoch",
  ),
  manifest_read_before_fence: slip("rule6_named_files_stay", ORPHANS, "await manifest.refresh();"),
  log_names_nothing: slip(
    "rule6_named_files_stay",
    ORPHANS,
    "[{ node, state: writer.state }]",
    "[]",
  ),
  plan_published_after_take_over: slip(
    "rule3_plan_after_take_over",
    MANIFEST,
    `      refuseWhenOver(current, office);
      const plan`,
    "      const plan",
  ),
  everybody_takes_over: slip(
    "rule3_one_takes_over",
    MANIFEST,
    "isOurs = isSameTerm(current.office, holder);",
    "isOurs = true;",
  ),
  orphans_without_take_over: slip(
    "rule6_files_of_term_stay",
    SWEEP,
    "term < office.epoch",
    "term <= office.epoch",
  ),
  both_delete_what_was_listed: {
    scenario: "rule6_both_look_for_orphans",
    file: SWEEP,
    edits: [
      { find: "await manifest.refreshIn(office)", replace: "await manifest.refresh()" },
      { find: "keepUnnamed(over, state, []);", replace: "" },
      { find: "keepOrphaned(keys, newest, logs());", replace: "" },
    ],
  },
  replaced_files_go_at_once: slip("rule6_replaced_files_wait", CLEANUP, "seenMs > seenMsMax || "),
  parts_of_later_terms_go: slip(
    "rule6_parts_stay",
    "manifest/manifest-checkpoints.ts",
    " && positionIn(name) <= positionMax",
  ),
  stale_plan_published: slip(
    "rule7_barrier_stops_plans",
    MANIFEST,
    "if (plan.needs.catalog < current.needs.catalog) throw planStale(plan, current);",
  ),
  barrier_not_raised: slip(
    "rule7_barrier_stops_plans",
    MANIFEST,
    "if (current.needs.catalog >= catalog) return undefined;",
    "return undefined;",
  ),
  retention_not_asked_again: slip(
    "rule7_rows_come_back",
    "compaction/hold.ts",
    " &&\n    (!leavesOut(plan, planned) || isKeptNoLonger(planned, retentionOf(database, table.id)))",
  ),
  plan_given_up: slip(
    "rule7_catalog_grows",
    "compaction/office/publish-plan.ts",
    "if (!stale || attempt === ATTEMPTS_MAX) throw error;",
    "throw error;",
  ),
  unknown_kind_skipped: slip(
    "rule8_unknown_kind_stops",
    TRACKER,
    "const entry = await ahead.read(asked);",
    `const entry = await ahead.read(asked).catch((error) => {
        if (error.code !== "record_unknown") throw error;
        return null;
      });
      if (entry === null) {
        this.#state = { ...this.#state, position: asked };
        continue;
      }`,
  ),
  unknown_change_is_damage: slip(
    "rule8_unknown_change_stops",
    "catalog/changes.ts",
    "if (!KNOWN_KINDS.has(kind)) throw unknownChange(entry, kind);",
  ),
};
