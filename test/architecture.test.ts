/**
 * Holds src/ to its shape: folders import downward only, files stay readable, and time, chance and the
 * outside enter through ports/. ARCHITECTURE.md explains the ranks.
 */
import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { suite, test } from "node:test";

const RANKS: readonly (readonly string[])[] = [
  ["base"],
  ["model"],
  ["ports"],
  ["raft", "lineprotocol", "block", "parquet", "threads", "arrow", "objectstore"],
  ["objectlog", "engine", "raftnode", "staging"],
  ["catalog", "nodelog", "manifest", "buffer", "replicated"],
  ["view", "access"],
  ["ingest", "query", "compaction", "lifecycle"],
  ["processing"],
  ["http", "flight"],
  ["node"],
  ["cli", "sim"],
];
const LINES_MAX = 400;
const README_LINES_MAX = 40;
const FOLDER_FILES_MAX = 12;
const AMBIENT =
  /\b(Date\.now|new Date\(\)|Math\.random|setTimeout|setInterval|performance\.now|randomUUID)\b/;
// The engine's process is started by a node, and is in no simulation.
const AMBIENT_HOMES = /^src\/((node|cli)\/|engine\/duckdb\/child\/child\.ts$)/;
const IMPORT = /(?:from|import)\s*\(?\s*"([^"]+)"/g;

const rankOf = new Map(
  RANKS.flatMap((folders, rank) => folders.map((folder) => [folder, rank] as const)),
);

const files = globSync("src/**/*.ts").map((path) => ({ path, text: readFileSync(path, "utf8") }));
const folders = [...new Set(files.map(({ path }) => dirname(path)))];

suite("architecture", () => {
  test("there is a src/ to hold", () => assert.ok(files.length > 0));

  test("folders import downward only", () => {
    assert.deepEqual(files.flatMap(upwardImports), []);
  });

  test("a file fits in one reading", () => {
    const long = files.filter(({ text }) => text.split("\n").length > LINES_MAX);
    assert.deepEqual(
      long.map(({ path }) => path),
      [],
    );
  });

  test("a folder with over a dozen files has subfolders", () => {
    const crowded = folders.filter((folder) => {
      const own = files.filter(
        ({ path }) => dirname(path) === folder && !path.endsWith(".test.ts"),
      );
      return own.length > FOLDER_FILES_MAX;
    });
    assert.deepEqual(crowded, []);
  });

  test("every folder of src/ says what it is for, in at most 40 lines", () => {
    const top = [...new Set(folders.map((folder) => folder.split("/").slice(0, 2).join("/")))];
    const missing = top.filter((folder) => !existsSync(join(folder, "README.md")));
    assert.deepEqual(missing, []);
    const long = globSync("src/**/README.md").filter(
      (path) => readFileSync(path, "utf8").trimEnd().split("\n").length > README_LINES_MAX,
    );
    assert.deepEqual(long, []);
  });

  test("time, chance and timers come from ports/", () => {
    const ambient = files.filter(
      ({ path, text }) =>
        !AMBIENT_HOMES.test(path) && !path.endsWith(".test.ts") && AMBIENT.test(text),
    );
    assert.deepEqual(
      ambient.map(({ path }) => path),
      [],
    );
  });
});

function upwardImports({ path, text }: { path: string; text: string }): string[] {
  const home = path.split("/")[1] ?? "";
  const homeRank = home === "testing" ? 0 : rankOf.get(home);
  if (homeRank === undefined) return [`${path}: folder ${home} has no rank`];
  return [...text.matchAll(IMPORT)].flatMap(([, specifier = ""]) => {
    if (specifier.startsWith(".")) {
      const target = join(dirname(path), specifier);
      return target.startsWith(`src/${home}/`)
        ? []
        : [`${path}: "${specifier}" leaves its folder, import it as "#"`];
    }
    if (!specifier.startsWith("#")) return [];
    const target = specifier.slice(1).split("/")[0] ?? "";
    if (target === home) return [`${path}: "${specifier}" is its own folder, import it as "./"`];
    if (home === "testing") return [];
    if (target === "testing" && (path.endsWith(".test.ts") || home === "sim")) return [];
    const targetRank = rankOf.get(target);
    const down = targetRank !== undefined && targetRank < homeRank;
    return down
      ? []
      : [`${path}: ${home} (${homeRank}) may not import ${specifier} (${targetRank})`];
  });
}
