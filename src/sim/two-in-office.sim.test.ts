import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { runTwoForever } from "./scenarios/two-forever.ts";
import { runTwoInOffice } from "./scenarios/two-in-office.ts";

/** `npm run test:long -- office` goes through an hour. */
const DURATION_MS = 600_000;

suite("two compactors", () => {
  test("that take the office from each other all the time change no answer and lose no file", async () => {
    const result = await runTwoInOffice({ seed: 1, durationMs: DURATION_MS, keepsPassing: true });
    assert.deepEqual(result.violations, []);
    assert.ok(result.takeOverCount > 150, `the office passed ${result.takeOverCount} times`);
    assert.ok(result.acknowledgedCount > 50 && result.readCount > 20);
    assert.ok(result.filesDeletedCount > 50, `${result.filesDeletedCount} files were deleted`);
  });

  test("that both believe to be in office change no answer and lose no file", async () => {
    const result = await runTwoForever({ seed: 2, durationMs: DURATION_MS, keepsPassing: false });
    assert.deepEqual(result.violations, []);
    assert.deepEqual(new Set(result.terms), new Set([1, 2]));
    assert.ok(result.acknowledgedCount > 50 && result.readCount > 20);
    assert.ok(result.filesDeletedCount > 50, `${result.filesDeletedCount} files were deleted`);
  });
});
