/** Holds lines.wasm to its source. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { compileLines, LINES_WASM } from "../scripts/compile-lines.ts";

test("lines.wasm is what lines.as compiles to: npm run wasm", async () => {
  assert.ok(Buffer.from(await compileLines()).equals(await readFile(LINES_WASM)));
});
