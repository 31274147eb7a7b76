import { DbError } from "#base/errors.ts";
import type { NodeConfig } from "#node/config.ts";
import type { Settings } from "../options.ts";
import { usageError } from "../values/usage.ts";
import { type Machine, nodeConfig } from "./config.ts";
import {
  type IdleOption,
  LATER_OPTIONS,
  NEEDLESS_OPTIONS,
  REFUSED_OPTIONS,
} from "./idle-options.ts";
import { IGNORED_OPTIONS } from "./other-options.ts";

/** A node that can be started, and what to say before. */
export interface PreparedNode {
  readonly config: NodeConfig;
  readonly warnings: readonly string[];
}

/** Options whose value is a secret, with the option that stands before it in most command lines. */
const SECRETS: readonly { readonly before: string; readonly names: readonly string[] }[] = [
  { before: "aws-access-key-id", names: ["aws-secret-access-key"] },
  {
    before: "azure-storage-account",
    names: ["azure-storage-access-key", "aws-secret-access-key"],
  },
];

/**
 * Reads the whole command line of `serve` and starts nothing. `words` are those that belong to no option.
 *
 * Throws as `nodeConfig` does, a usage error for any word and for wrong values of options without effect, and
 * `unsupported` / `option_unsupported`.
 */
export function prepareNode(
  settings: Settings,
  words: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  machine: Machine,
): PreparedNode {
  refuseWords(settings, words);
  const config = nodeConfig(settings, env, machine);
  for (const option of [...LATER_OPTIONS, ...NEEDLESS_OPTIONS, ...REFUSED_OPTIONS])
    checkIdle(settings, option);
  refuse(settings);
  return { config, warnings: warningsOf(settings) };
}

/** No word stands alone: the option before it was forgotten. What may be a secret is not shown. */
function refuseWords(settings: Settings, words: readonly string[]): void {
  const [word] = words;
  if (word === undefined) return;
  const missing = SECRETS.find(
    ({ before, names }) =>
      isGiven(settings, before) && !names.some((name) => isGiven(settings, name)),
  )?.names[0];
  throw usageError(
    missing === undefined
      ? `no option stands before '${word}': give --option value, and '\\' at the end of each line but the last`
      : `a word stands alone, and the option --${missing} is missing: put it before the secret`,
  );
}

function checkIdle(settings: Settings, { name, value, check }: IdleOption): void {
  if (value === undefined) settings.isOn(name);
  else settings.parseIfGiven(name, (text) => check?.(text));
}

function refuse(settings: Settings): void {
  const refused = REFUSED_OPTIONS.find(({ name }) => isGiven(settings, name));
  if (refused === undefined) return;
  throw new DbError(
    "unsupported",
    "option_unsupported",
    `--${refused.name} is not supported in this version`,
    { detail: { option: refused.name } },
  );
}

function warningsOf(settings: Settings): readonly string[] {
  const warnings = [...settings.warnings];
  const later = LATER_OPTIONS.filter(({ name }) => isGiven(settings, name));
  if (later.length > 0) warnings.push(`no effect yet: ${flagsOf(later)}`);
  const without = [
    ...NEEDLESS_OPTIONS.filter((option) => isIdle(settings, option)),
    ...IGNORED_OPTIONS.filter(({ name }) => isGiven(settings, name)),
  ];
  if (without.length > 0) warnings.push(`without effect in this version: ${flagsOf(without)}`);
  return warnings;
}

/** Whether the option is given and asks for something else than is so anyway. */
function isIdle(settings: Settings, { name, value, isSo }: IdleOption): boolean {
  if (!isGiven(settings, name)) return false;
  const text = value === undefined ? String(settings.isOn(name)) : settings.require(name);
  return isSo?.(text) !== true;
}

function isGiven(settings: Settings, name: string): boolean {
  return settings.find(name) !== undefined;
}

function flagsOf(options: readonly { readonly name: string }[]): string {
  return options.map(({ name }) => `--${name}`).join(", ");
}
