import * as keeping from "./keeping.ts";
import * as office from "./office.ts";
import { Stage } from "./stage.ts";
import * as writing from "./writing.ts";

/** A schedule, played on a stage. */
type Scenario = (stage: Stage) => Promise<void>;

/** Schedules for each rule of docs/decisions/0002-object-log.md, under their names. */
export const SCENARIOS = {
  // The one schedule that needs a whole node, which takes long to load.
  rule1_store_that_overwrites: async (stage) =>
    (await import("./starting.ts")).storeThatOverwrites(stage),
  rule2_answer_lost: writing.answerLost,
  rule2_put_not_done: writing.putNotDone,
  rule2_put_lands_late: writing.putLandsLate,
  rule3_higher_epoch_found: writing.higherEpochFound,
  rule3_higher_epoch_in_checkpoint: writing.higherEpochInCheckpoint,
  rule3_lower_epoch_is_damage: writing.lowerEpochIsDamage,
  rule3_fence_outlives_clean_up: writing.fenceOutlivesCleanUp,
  rule3_idle_writer_looks: writing.idleWriterLooks,
  rule3_shared_log_fences_epochs: writing.sharedLogFencesEpochs,
  rule3_plan_after_take_over: office.planAfterTakeOver,
  rule3_one_takes_over: office.oneTakesOver,
  rule4_stone_keeps_nonce: keeping.stoneKeepsNonce,
  rule4_shared_entries_stay: keeping.sharedEntriesStay,
  rule4_checkpoint_before_deletion: keeping.checkpointBeforeDeletion,
  rule4_adopted_before_deletion: keeping.adoptedBeforeDeletion,
  rule4_two_checkpoints_stay: keeping.twoCheckpointsStay,
  rule5_void_fence_won: keeping.voidFenceWon,
  rule5_void_fence_at_checkpoint: keeping.voidFenceAtCheckpoint,
  rule5_void_fence_met: keeping.voidFenceMet,
  rule5_hole_is_no_tail: keeping.holeIsNoTail,
  rule6_orphans_under_fence: keeping.orphansUnderFence,
  rule6_live_files_stay: keeping.liveFilesStay,
  rule6_named_files_stay: keeping.namedFilesStay,
  rule6_files_of_term_stay: office.filesOfTermStay,
  rule6_both_look_for_orphans: office.bothLookForOrphans,
  rule6_replaced_files_wait: office.replacedFilesWait,
  rule6_parts_stay: office.partsStay,
  rule7_barrier_stops_plans: keeping.barrierStopsPlans,
  rule7_rows_come_back: office.rowsComeBack,
  rule7_catalog_grows: office.catalogGrows,
  rule8_unknown_kind_stops: keeping.unknownKindStops,
  rule8_unknown_change_stops: keeping.unknownChangeStops,
} as const satisfies Readonly<Record<string, Scenario>>;
export type ScenarioName = keyof typeof SCENARIOS;

/** What is wrong when `name` is played in the universe of `seed`; nothing when the rules hold. */
export async function playScenario(name: ScenarioName, seed: number): Promise<readonly string[]> {
  const stage = new Stage(seed);
  try {
    await stage.world.run(SCENARIOS[name](stage));
  } catch (error) {
    stage.violations.push(String(error));
  }
  return stage.violations;
}
