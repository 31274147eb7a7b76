/** `allowed.txt`: ids of cases that may fail, each under the class of its reason. docs/differences.md explains the classes. */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const PATH = fileURLToPath(new URL("allowed.txt", import.meta.url));
const HEAD = `# Conformance cases that may fail, by the class of the reason; docs/differences.md explains the classes, under "Conformance".
# REWRITE=1 brings the list up to date; what is new in it stands under [unexplained] until somebody moves it.
`;
const UNEXPLAINED = "unexplained";

/** Id → class. Throws where the file says something else. */
export function allowedCases(): ReadonlyMap<string, string> {
  const allowed = new Map<string, string>();
  let reason: string | undefined;
  for (const line of readFileSync(PATH, "utf8").split("\n")) {
    const word = line.trim();
    const [, heading] = /^\[(.+)\]$/.exec(word) ?? [];
    if (heading !== undefined) reason = heading;
    else if (word !== "" && !word.startsWith("#")) {
      if (reason === undefined) throw new Error(`${word} stands under no class`);
      if (allowed.has(word)) throw new Error(`${word} stands twice`);
      allowed.set(word, reason);
    }
  }
  return allowed;
}

/** Writes the list anew after a run of the cases `ids`, of which `failing` failed: who passes leaves it, who is new is unexplained. */
export function rewriteAllowed(ids: readonly string[], failing: ReadonlySet<string>): void {
  const allowed = new Map(allowedCases());
  for (const id of ids) if (!failing.has(id)) allowed.delete(id);
  for (const id of failing) if (!allowed.has(id)) allowed.set(id, UNEXPLAINED);
  const groups = Map.groupBy(allowed, ([, reason]) => reason);
  const parts = [...groups].map(
    ([reason, entries]) => `[${reason}]\n${entries.map(([id]) => `${id}\n`).join("")}`,
  );
  writeFileSync(PATH, [HEAD, ...parts].join("\n"));
}
