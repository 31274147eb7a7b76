import { randomUUID } from "node:crypto";
import { messageOf } from "#base/errors.ts";
import {
  checkStore,
  measurePace,
  probePrefix,
  removeAll,
  type StorePace,
} from "#objectstore/check/store-check.ts";
import { isKeyPart } from "#objectstore/keys.ts";
import { retryingStore } from "#objectstore/retrying.ts";
import { silentLog } from "#ports/log.ts";
import type { ObjectStore } from "#ports/object-store.ts";
import type { CommandInput, CommandSpec } from "../command.ts";
import { STORE_OPTIONS, storeConfig } from "../serve/store-options.ts";
import type { Terminal } from "../terminal.ts";
import { usageError } from "../values/usage.ts";

const PREFIX_SIZE_MAX = 256;
const OK = "ok      ";
const FAILED = "FAILED  ";
const INDENT = "        ";

export const OBJECT_STORE_CHECK: CommandSpec = {
  path: "debug object-store-check",
  about: "Check whether an object store does what a cluster needs of it",
  notes: [
    "It puts some 1,100 small objects and one of 8 MiB under the prefix, and deletes",
    "them all. Nothing else is changed. The exit code is 0 when all checks passed.",
  ].join("\n"),
  options: [
    {
      name: "check-prefix",
      value: "PREFIX",
      about: "Where it may put objects of its own: under PREFIX/oscheck-<random>/",
      env: "INFLUXDB3_OSCHECK_PREFIX",
      default: "object-store-check",
    },
    {
      name: "probe-prefix",
      value: "PREFIX",
      about: "Also list objects under this prefix, as a cluster-id, and read some of them",
    },
    ...STORE_OPTIONS.map((spec) => ({ ...spec, group: "Object store" })),
  ],
  run: checkObjectStore,
};

async function checkObjectStore({ settings, terminal }: CommandInput): Promise<number> {
  const surroundings = { workingDirectory: process.cwd(), env: terminal.env };
  const config = storeConfig(settings, surroundings);
  const prefix = `${settings.parse("check-prefix", parsePrefix)}oscheck-${randomUUID()}/`;
  const existing = settings.parseIfGiven("probe-prefix", parsePrefix);
  for (const warning of settings.warnings) terminal.error(`warning: ${warning}`);
  // Loaded here, so that the commands of a client do not wait for it.
  const { openStore, retriesOf } = await import("#node/real/open-store.ts");
  const { realClock: clock, realRandom: random } = await import("#node/real/machine.ts");
  await using parts = new AsyncDisposableStack();
  const opened = await openStore(config, { clock, random, log: silentLog }, parts);
  const store = retryingStore(opened, clock, random, retriesOf(config));
  // A store that cannot be used at all has nothing to be checked, and nothing to be removed.
  await store.list(prefix, { countMax: 1 });
  let faultCount: number;
  try {
    faultCount = await reportChecks(store, prefix, terminal);
    if (faultCount === 0) terminal.out(paceLine(await measurePace(store, prefix, clock)));
  } finally {
    await cleanUp(store, prefix, terminal);
  }
  if (existing !== undefined) faultCount += await reportExisting(store, existing, terminal);
  if (faultCount === 0) {
    terminal.out("all checks passed: a cluster can keep its data here");
    return 0;
  }
  const checks = faultCount === 1 ? "1 check" : `${faultCount} checks`;
  terminal.error(`error: ${checks} failed: do not run a cluster on this object store`);
  return 1;
}

/** Prints each check as it ends; resolves with how many failed. */
async function reportChecks(
  store: ObjectStore,
  prefix: string,
  terminal: Terminal,
): Promise<number> {
  let faultCount = 0;
  for await (const { check, fault } of checkStore(store, prefix)) {
    terminal.out(`${fault === undefined ? OK : FAILED}${check.sentence}`);
    if (fault === undefined) continue;
    faultCount += 1;
    terminal.out(`${INDENT}found: ${fault}`);
    terminal.out(`${INDENT}without it ${check.danger}`);
  }
  return faultCount;
}

async function reportExisting(
  store: ObjectStore,
  prefix: string,
  terminal: Terminal,
): Promise<number> {
  const { fault, objectCount, readCount } = await probePrefix(store, prefix);
  const figures = `${objectCount} listed, ${readCount} read whole`;
  terminal.out(`${fault === undefined ? OK : FAILED}objects under ${prefix}: ${figures}`);
  if (fault === undefined) return 0;
  terminal.out(`${INDENT}found: ${fault}`);
  return 1;
}

function paceLine({ getMs, listMs, putIfAbsentMs }: StorePace): string {
  const times = `put ${putIfAbsentMs.toFixed(1)}, get ${getMs.toFixed(1)}, list ${listMs.toFixed(1)}`;
  return `pace    ${times} ms: medians of 20, 4 KiB each; a write waits for one put`;
}

/** What stays behind is in nobody's way, so it is no failure of the check. */
async function cleanUp(store: ObjectStore, prefix: string, terminal: Terminal): Promise<void> {
  try {
    await removeAll(store, prefix);
  } catch (error) {
    terminal.error(`warning: objects under ${prefix} were left behind: ${messageOf(error)}`);
  }
}

/** A prefix of keys, with the slash at its end. */
function parsePrefix(text: string): string {
  const parts = text.replace(/\/$/, "").split("/");
  if (!parts.every(isKeyPart) || text.length > PREFIX_SIZE_MAX) {
    throw usageError("use letters, digits, '-', '_', '.' and '=', in parts between slashes");
  }
  return `${parts.join("/")}/`;
}
