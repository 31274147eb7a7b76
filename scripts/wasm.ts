/**
 * Compiles the sources of AssemblyScript to `.wasm` files beside them, which are kept in the repository: a checkout runs without it.
 *
 *     npm run wasm
 */
import { writeFile } from "node:fs/promises";
import { compiledPath, compileSource, WASM_SOURCES } from "./compile-wasm.ts";

for (const source of WASM_SOURCES)
  await writeFile(compiledPath(source), await compileSource(source));
