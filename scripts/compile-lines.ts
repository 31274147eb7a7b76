import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { main } from "assemblyscript/asc";

const LINES_SOURCE = new URL("../src/lineprotocol/wasm/lines.as", import.meta.url);
export const LINES_WASM = fileURLToPath(
  new URL("../src/lineprotocol/wasm/lines.wasm", import.meta.url),
);
/** Constants lie below the first page of what the host hands out. */
const OPTIONS = `--optimizeLevel 3 --noAssert --runtime stub --enable simd --importMemory --memoryBase 1024`;

/** What lines.as compiles to: the same bytes on every machine. Throws where it does not compile. */
export async function compileLines(): Promise<Uint8Array> {
  const source = await readFile(LINES_SOURCE, "utf8");
  let compiled: Uint8Array | undefined;
  const words = ["lines.ts", "--outFile", "lines.wasm", ...OPTIONS.split(" ")];
  const { error } = await main(words, {
    readFile: (name) => (name === "lines.ts" ? source : null),
    writeFile(_name, contents) {
      if (contents instanceof Uint8Array) compiled = contents;
    },
    listFiles: () => [],
  });
  if (error !== null) throw error;
  if (compiled === undefined) throw new Error("the compiler wrote nothing");
  return compiled;
}
