import { readWords, type Settings } from "../../options.ts";
import type { Machine } from "../config.ts";
import { SERVE_OPTIONS } from "../options.ts";
import { type PreparedNode, prepareNode } from "../prepare.ts";

const MIB = 2 ** 20;

export const MACHINE: Machine = {
  nowMs: 1_800_000_000_000,
  memoryBytes: 1000 * MIB,
  coreCount: 2,
  workingDirectory: "/home/ada",
};

/** What every node must be given. */
export const BASE = [
  "--node-id",
  "host01",
  "--cluster-id",
  "cluster01",
  "--object-store",
  "memory",
];

type Env = Readonly<Record<string, string>>;

/** What `words` of the command line of `serve` and the variables say. */
export function settingsOf(words: readonly string[], env: Env = {}): Settings {
  return readWords(SERVE_OPTIONS, words, env).settings;
}

/** A node as `serve` would start it of `words` and the variables. */
export function prepared(
  words: readonly string[],
  env: Env = {},
  machine: Machine = MACHINE,
): PreparedNode {
  const { settings, operands } = readWords(SERVE_OPTIONS, words, env);
  return prepareNode(settings, operands, env, machine);
}
