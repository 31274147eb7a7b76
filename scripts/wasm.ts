/**
 * Compiles `src/lineprotocol/wasm/lines.as` to `lines.wasm` beside it, which is kept in the repository: a checkout runs without it.
 *
 *     npm run wasm
 */
import { writeFile } from "node:fs/promises";
import { compileLines, LINES_WASM } from "./compile-lines.ts";

await writeFile(LINES_WASM, await compileLines());
