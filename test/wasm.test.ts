/** Holds .wasm files to their sources. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { test } from "node:test";
import { compiledPath, compileSource, WASM_SOURCES } from "../scripts/compile-wasm.ts";

for (const source of WASM_SOURCES) {
  test(`${basename(compiledPath(source))} is what ${basename(source)} compiles to: npm run wasm`, async () => {
    const kept = await readFile(compiledPath(source));
    assert.ok(Buffer.from(await compileSource(source)).equals(kept));
  });
}
