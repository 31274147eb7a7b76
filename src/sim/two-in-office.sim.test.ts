import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { withMounted } from "./rules/mounting.ts";
import { FOREVER_IN_OFFICE, runTwoInOffice } from "./scenarios/two-in-office.ts";

const HOUR_MS = 3_600_000;

suite("an hour in which two compactors", () => {
  test("take the office from each other all the time changes no answer and loses no file", async () => {
    const result = await runTwoInOffice({ seed: 1, durationMs: HOUR_MS, keepsPassing: true });
    assert.deepEqual(result.violations, []);
    assert.ok(result.takeOverCount >= 1_000, `the office passed ${result.takeOverCount} times`);
    assert.ok(result.acknowledgedCount > 500 && result.readCount > 100);
    assert.ok(result.filesDeletedCount > 100, `${result.filesDeletedCount} files were deleted`);
  });

  test("both believe that they are in it changes no answer and loses no file", async () => {
    const mounted = {
      bug: FOREVER_IN_OFFICE,
      name: "forever_in_office",
      specifier: "../scenarios/two-in-office.ts",
    };
    const result = await withMounted(mounted, (module) => {
      const mine = module as { runTwoInOffice: typeof runTwoInOffice };
      return mine.runTwoInOffice({ seed: 2, durationMs: HOUR_MS, keepsPassing: false });
    });
    assert.deepEqual(result.violations, []);
    assert.deepEqual(new Set(result.terms), new Set([1, 2]));
    assert.ok(result.acknowledgedCount > 500 && result.readCount > 100);
    assert.ok(result.filesDeletedCount > 100, `${result.filesDeletedCount} files were deleted`);
  });
});
