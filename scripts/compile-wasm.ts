import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { main } from "assemblyscript/asc";

/** Sources of AssemblyScript, each compiled to the file of the same name that ends in `.wasm`. */
export const WASM_SOURCES = ["lineprotocol/wasm/lines.as", "block/wasm/cells.as"].map((path) =>
  fileURLToPath(new URL(`../src/${path}`, import.meta.url)),
);
/** Constants lie below the first page of what the host hands out. */
const OPTIONS = `--optimizeLevel 3 --noAssert --runtime stub --enable simd --importMemory --memoryBase 1024`;

export function compiledPath(source: string): string {
  return source.replace(/\.as$/, ".wasm");
}

/** What `source` compiles to: the same bytes on every machine. Throws where it does not compile. */
export async function compileSource(source: string): Promise<Uint8Array> {
  const text = await readFile(source, "utf8");
  let compiled: Uint8Array | undefined;
  const words = ["source.ts", "--outFile", "source.wasm", ...OPTIONS.split(" ")];
  const { error } = await main(words, {
    readFile: (name) => (name === "source.ts" ? text : null),
    writeFile(_name, contents) {
      if (contents instanceof Uint8Array) compiled = contents;
    },
    listFiles: () => [],
  });
  if (error !== null) throw error;
  if (compiled === undefined) throw new Error("the compiler wrote nothing");
  return compiled;
}
