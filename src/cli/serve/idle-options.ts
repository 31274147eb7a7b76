import { chooseOf, envName, type OptionSpec } from "../options.ts";
import { parseBindAddress } from "../values/address.ts";
import { parseCount, parseCountOf } from "../values/count.ts";
import { parseDuration, parseInterval } from "../values/duration.ts";
import { usageError } from "../values/usage.ts";

/** An option whose value is checked, though nothing comes of it. */
export interface IdleOption extends OptionSpec {
  /** Throws a usage error for what is no value of this option; switches have no values. */
  readonly check?: (text: string) => unknown;
  /** Whether the value asks for what is so anyway: then there is nothing to warn of. */
  readonly isSo?: (text: string) => boolean;
}

const TRIGGER_TYPES = ["wal", "schedule", "request"] as const;

/** Options of parts that are not built yet. */
export const LATER_OPTIONS: readonly IdleOption[] = later([
  {
    name: "permission-tokens-file",
    value: "FILE",
    about: "Tokens with permissions, made where there are none",
    check: parseText,
  },
  {
    name: "last-cache-eviction-interval",
    value: "DURATION",
    about: "How often old values leave caches of last values",
    check: parseInterval,
  },
  {
    name: "distinct-cache-eviction-interval",
    value: "DURATION",
    about: "How often old values leave caches of distinct values",
    check: parseInterval,
  },
  {
    name: "last-value-cache-disable-from-history",
    about: "Caches of last values begin empty",
  },
  {
    name: "distinct-value-cache-disable-from-history",
    about: "Caches of distinct values begin empty",
  },
  { name: "plugin-dir", value: "FOLDER", about: "Folder of plugins", check: parseText },
  {
    name: "plugin-repo",
    value: "URL",
    about: "Where plugins with gh: come from",
    check: parseText,
  },
  {
    name: "restrict-plugin-triggers-to",
    value: "TYPES",
    about: "Types of triggers that may be made: some of wal, schedule, request, joined by commas",
    repeats: true,
    check: (text) => text.split(",").map((part) => chooseOf(part.trim(), TRIGGER_TYPES)),
  },
  { name: "plugin-dir-only", about: "Run plugins of the folder only" },
  {
    name: "delete-grace-period",
    value: "DURATION",
    about:
      "How long files of deleted rows stay; those of a dropped database: --hard-delete-default-duration",
    check: parseDuration,
  },
]);

/** Options of parts that there is no need for here. Each says why. */
export const NEEDLESS_OPTIONS: readonly IdleOption[] = needless([
  {
    name: "wal-replay-fail-on-error",
    about: "No effect: a log that cannot be read always keeps the node from starting",
    isSo: (text) => text === "true",
  },
  {
    name: "retention-check-interval",
    value: "DURATION",
    about:
      "No effect: the compactor looks for rows past their retention whenever it looks for work",
    check: parseInterval,
  },
  {
    name: "gen1-lookback-duration",
    value: "DURATION",
    about: "No effect: files of any age are known",
    check: parseInterval,
  },
  {
    name: "internode-bind-addr",
    value: "ADDRESS",
    about: "No effect: nodes call each other where clients do (--conn-info tells them where)",
    check: parseBindAddress,
  },
  {
    name: "internode-jwt-primary",
    value: "SECRET",
    about: "No effect: the cluster makes the secret of its nodes",
    check: parseText,
  },
  {
    name: "internode-jwt-secondary",
    value: "SECRET",
    about: "No effect: the cluster makes the secret of its nodes",
    check: parseText,
  },
  {
    name: "wal-replica-steady-concurrency",
    value: "COUNT",
    about: "No effect: the logs of all other nodes are followed at once",
    check: parseCount,
  },
  {
    name: "wal-replica-queue-length",
    value: "COUNT",
    about: "No effect: --replica-max-buffer-size bounds what is read",
    check: parseCount,
  },
  {
    name: "wal-replica-recovery-tail-skip-limit",
    value: "COUNT",
    about: "No effect: a node that is behind goes on from a checkpoint",
    check: (text) => parseCountOf(text, { min: 0 }),
  },
  {
    name: "replica-gen0-load-concurrency",
    value: "COUNT",
    about: "No effect: files are read when a query needs them",
    check: parseCount,
  },
  {
    name: "compactor-dispatch-target",
    value: "TARGET",
    about: "No effect: the compactor in office works itself",
    check: (text) => chooseOf(text, ["local", "remote", "all"]),
    isSo: (text) => text === "local",
  },
]);

/** Options that promise safety this version does not have: starting without it would break the promise in silence. */
export const REFUSED_OPTIONS: readonly IdleOption[] = refused([
  {
    name: "internode-tls-cert",
    value: "FILE",
    about: "Certificate that nodes show each other",
    check: parseText,
  },
  { name: "internode-tls-key", value: "FILE", about: "Key of that", check: parseText },
]);

function parseText(text: string): string {
  if (text.trim() === "") throw usageError("the value is empty");
  return text;
}

function later(options: readonly IdleOption[]): readonly IdleOption[] {
  return grouped("Checked; what they are for is not built yet", said("No effect yet", options));
}

function needless(options: readonly IdleOption[]): readonly IdleOption[] {
  return grouped("Checked, without effect", options);
}

function refused(options: readonly IdleOption[]): readonly IdleOption[] {
  return grouped("Refused in this version", said("Refused", options));
}

/** Each row says for itself what comes of it: who searches for an option reads no heading. */
function said(what: string, options: readonly IdleOption[]): readonly IdleOption[] {
  return options.map(({ about, ...option }) => {
    const words = about.charAt(0).toLowerCase() + about.slice(1);
    return { ...option, about: `${what}: ${words}` };
  });
}

function grouped(group: string, options: readonly IdleOption[]): readonly IdleOption[] {
  return options.map((option) => ({
    env: envName(option.name),
    ...option,
    group,
    advanced: true,
  }));
}
