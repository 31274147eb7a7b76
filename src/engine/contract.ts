/** What every engine keeps to: one suite for all adapters of ports/engine.ts. */
import { after, before, suite, test } from "node:test";
import { assert } from "#base/errors.ts";
import { Bench, type ContractCases, type OpenEngine } from "./contract/bench.ts";
import { BUFFER_CASES } from "./contract/buffer-cases.ts";
import { COMPACT_CASES } from "./contract/compact-cases.ts";
import { DELETE_CASES } from "./contract/deletes/delete-cases.ts";
import { FILE_CASES } from "./contract/file-cases.ts";
import { MERGE_CASES } from "./contract/merge-cases.ts";
import { PLAN_CASES } from "./contract/plan-cases.ts";
import { comparePlans } from "./contract/random-plans.ts";
import { SCALAR_CASES } from "./contract/scalar-cases.ts";
import { TEXT_CASES } from "./contract/text-cases.ts";
import { VALUE_CASES } from "./contract/value-cases.ts";

const SUITES: Readonly<Record<string, ContractCases>> = {
  buffer: BUFFER_CASES,
  merge: MERGE_CASES,
  files: FILE_CASES,
  compaction: COMPACT_CASES,
  deletes: DELETE_CASES,
  values: VALUE_CASES,
  scalars: { ...SCALAR_CASES, ...TEXT_CASES },
  plans: PLAN_CASES,
  chance: Object.fromEntries(
    Array.from({ length: 25 }, (_, seed) => [
      `random plans answer as the plain engine's do, seed ${seed}`,
      (bench) => comparePlans(bench, seed),
    ]),
  ),
};

/**
 * Runs the suite against the engine that `open` gives. It is opened once and disposed of at the end; it reads data files
 * through the `files` it is given: in memory, whole, and without a check of their checksum.
 */
export function engineContract(name: string, open: OpenEngine): void {
  suite(`the engine contract: ${name}`, () => {
    let bench: Bench | undefined;
    before(async () => {
      bench = await Bench.open(open);
    });
    after(async () => {
      await bench?.[Symbol.asyncDispose]();
    });
    for (const [title, cases] of Object.entries(SUITES)) {
      suite(title, () => {
        for (const [sentence, run] of Object.entries(cases)) {
          test(sentence, async () => {
            assert(bench !== undefined, "the engine is open");
            await run(bench);
          });
        }
      });
    }
  });
}
