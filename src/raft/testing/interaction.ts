/** Scripts that drive a cluster. */
import { TRANSITIONS } from "../configuration/change.ts";
import { message, type PeerId, peerId, type Snapshot } from "../message.ts";
import type { Refusal } from "../protocol/state.ts";
import { allVoters } from "../quorum/joint.ts";
import { Cluster, type NodeSettings, type Recipient, type ScriptNode } from "./cluster.ts";
import {
  describeMembers,
  describeMessage,
  describeRefusal,
  describeRole,
  messageKind,
  parseOperations,
} from "./describe.ts";
import { Output } from "./output.ts";
import type { Argument, Directive } from "./script.ts";

type Command = (interaction: Interaction, directive: Directive) => void;

/** Runs the commands of one script, in order. */
export class Interaction {
  readonly output = new Output();
  readonly cluster = new Cluster(this.output);

  /** What `directive` answers; `ok` where there is nothing to tell. */
  run(directive: Directive): string {
    const command = COMMANDS[directive.command];
    let failure = "";
    try {
      if (command === undefined) throw new Error("unknown command");
      command(this, directive);
    } catch (error) {
      failure = error instanceof Error ? error.message : String(error);
    }
    const answer = [this.output.take(), failure].filter((part) => part !== "").join("\n");
    return answer === "" ? "ok" : answer;
  }

  /** Those that `directive` names, in its order. */
  nodes({ args }: Directive): readonly ScriptNode[] {
    const plain = args.filter(({ values }) => values.length === 0);
    return plain.map(({ key }) => this.cluster.node(toNumber(key)));
  }

  /** The one that `directive` names first. */
  first({ args }: Directive): ScriptNode {
    return this.cluster.node(toNumber(args[0]?.key));
  }

  refused(refusal: Refusal | undefined): void {
    if (refusal !== undefined) throw new Error(describeRefusal(refusal));
  }
}

const COMMANDS: Readonly<Record<string, Command>> = {
  "add-nodes": addNodes,
  campaign: (run, directive) => run.first(directive).node.campaign(),
  compact(run, directive) {
    const node = run.first(directive);
    const index = toNumber(directive.args[1]?.key);
    if (index < node.storage.firstIndex()) {
      throw new Error("requested index is unavailable due to compaction");
    }
    node.storage.compact(index);
    run.cluster.writeLog(node);
  },
  "deliver-msgs": deliverMessages,
  "forget-leader": (run, directive) => run.first(directive).node.forgetLeader(),
  "log-level": (run, { args }) => setLogLevel(run, args[0]?.key),
  "process-ready": (run, directive) =>
    each(run, directive, "handling Ready", (node) => run.cluster.processReady(node)),
  "process-append-thread": (run, directive) =>
    each(run, directive, "processing append thread", (node) =>
      run.cluster.processAppendThread(node),
    ),
  "process-apply-thread": (run, directive) =>
    each(run, directive, "processing apply thread", (node) => run.cluster.processApplyThread(node)),
  propose(run, directive) {
    const data = new TextEncoder().encode(directive.args[1]?.key);
    run.refused(run.first(directive).node.propose(data));
  },
  "propose-conf-change": proposeChange,
  "raft-log": (run, directive) => run.cluster.writeLog(run.first(directive)),
  "raft-state": writeStates,
  "report-unreachable"(run, directive) {
    const [from, to] = run.nodes(directive);
    if (from === undefined || to === undefined)
      throw new Error("must specify exactly two node indexes");
    from.node.reportUnreachable(to.id);
  },
  "send-snapshot": sendSnapshot,
  "set-randomized-election-timeout"(run, directive) {
    const timeoutTicks = toNumber(valueOf(directive.args, "timeout"));
    run.first(directive).node.setElectionTimeoutTicks(timeoutTicks);
  },
  stabilize,
  status: (run, directive) =>
    run.output.write(describeMembers(run.first(directive).node.status().members).join("\n")),
  "tick-election": (run, directive) =>
    passTicks(run.first(directive), ({ options }) => options.electionTicks),
  "tick-heartbeat": (run, directive) =>
    passTicks(run.first(directive), ({ options }) => options.heartbeatTicks),
  "transfer-leadership"(run, { args }) {
    const to = peerId(toNumber(valueOf(args, "to")));
    run.cluster.node(toNumber(valueOf(args, "from"))).node.transferLeader(to);
  },
};

function addNodes(run: Interaction, { args: [count, ...args] }: Directive): void {
  const list = (key: string) => args.find((one) => one.key === key)?.values ?? [];
  const peers = (key: string) => list(key).map((value) => peerId(toNumber(value)));
  const index = Number(valueOf(args, "index") ?? 0);
  const snapshot: Snapshot = {
    index,
    term: index === 0 ? 0 : 1,
    data: new TextEncoder().encode(valueOf(args, "content")),
    configuration: {
      voters: peers("voters"),
      votersOutgoing: [],
      learners: peers("learners"),
      learnersNext: [],
      autoLeave: false,
    },
  };
  const described = args.some(({ key }) => SNAPSHOT_KEYS.has(key));
  if (described && index <= 1) throw new Error("index must be specified as > 1 due to bootstrap");
  const settings = args.flatMap((argument) => readSetting(argument));
  for (let added = 0; added < toNumber(count?.key); added += 1) {
    run.cluster.add(Object.assign({ appliedIndex: index }, ...settings), snapshot);
  }
}

/** What the arguments of `add-nodes` set. */
const SETTINGS: Readonly<Record<string, (value: string) => NodeSettings>> = {
  "async-storage-writes": (value) => ({ asyncStorageWrites: value === "true" }),
  checkquorum: (value) => ({ checkQuorum: value === "true" }),
  "disable-conf-change-validation": (value) => ({ changesUnchecked: value === "true" }),
  inflight: (value) => ({ inflightCountMax: toNumber(value) }),
  "max-committed-size-per-ready": (value) => ({ applyingBytesMax: toNumber(value) }),
  prevote: (value) => ({ preVote: value === "true" }),
  "read-only": (value) => ({ readMode: value === "lease-based" ? "lease" : "safe" }),
  "step-down-on-removal": (value) => ({ stepDownOnRemoval: value === "true" }),
};
/** Those that say of which snapshot the nodes start. */
const SNAPSHOT_KEYS: ReadonlySet<string> = new Set(["voters", "learners", "index", "content"]);

function readSetting({ key, values: [value = ""] }: Argument): readonly NodeSettings[] {
  if (SNAPSHOT_KEYS.has(key)) return [];
  const read = SETTINGS[key];
  if (read === undefined) throw new Error(`unknown argument ${key}`);
  return [read(value)];
}

function deliverMessages(run: Interaction, { args }: Directive): void {
  const recipients = args.flatMap(({ key, values }): readonly Recipient[] => {
    if (values.length === 0) return [{ id: peerId(toNumber(key)), dropped: false }];
    if (key !== "drop") return [];
    return values.map((value) => ({ id: peerId(toNumber(value)), dropped: true }));
  });
  const name = valueOf(args, "type");
  const kind = name === undefined ? undefined : messageKind(name);
  if (name !== undefined && kind === undefined) throw new Error(`unknown message type ${name}`);
  if (run.cluster.deliver(recipients, kind) === 0) run.output.write("no messages");
}

function proposeChange(run: Interaction, directive: Directive): void {
  const { node } = run.first(directive);
  const operations = parseOperations(directive.input, toPeer);
  const name = valueOf(directive.args, "transition") ?? "auto";
  const transition = TRANSITIONS.find((one) => one === name);
  if (transition === undefined) throw new Error(`unknown transition ${name}`);
  if (valueOf(directive.args, "v1") !== "true") {
    run.refused(node.proposeChange({ transition, operations, context: "" }));
    return;
  }
  const [operation, ...more] = operations;
  if (operation === undefined || more.length > 0 || transition !== "auto") {
    throw new Error("v1 conf change can only have one operation and no transition");
  }
  run.refused(node.proposeSingleChange(operation));
}

function sendSnapshot(run: Interaction, directive: Directive): void {
  const [from, to] = run.nodes(directive);
  const snapshot = from?.storage.snapshot();
  if (from === undefined || to === undefined || snapshot === undefined) {
    throw new Error("must specify a node that has a snapshot, and one that it is sent to");
  }
  const { term } = from.node.status();
  const sent = message({ kind: "snapshot", from: from.id, to: to.id, term, snapshot });
  run.cluster.send(sent);
  run.output.write(describeMessage(sent));
}

function stabilize(run: Interaction, directive: Directive): void {
  const named = run.nodes(directive);
  const { quiet } = run.output;
  const level = valueOf(directive.args, "log-level");
  if (level !== undefined) setLogLevel(run, level);
  try {
    run.cluster.stabilize(named.length === 0 ? run.cluster.nodes : named);
  } finally {
    run.output.quiet = quiet;
  }
}

function writeStates(run: Interaction): void {
  for (const { node } of run.cluster.nodes) {
    const { id, role, configuration, term, leader } = node.status();
    const voter = allVoters(configuration).has(id) ? "Voter" : "Non-Voter";
    run.output.write(`${id}: ${describeRole(role)} (${voter}) Term:${term} Lead:${leader}`);
  }
}

/** The core writes no logs. At the level `none` scripts show nothing at all. */
function setLogLevel(run: Interaction, level: string | undefined): void {
  run.output.quiet = level?.toLowerCase() === "none";
}

/** Has each node that `directive` names work; says whose work it is where there are several. */
function each(
  run: Interaction,
  directive: Directive,
  title: string,
  work: (node: ScriptNode) => void,
): void {
  const nodes = run.nodes(directive);
  for (const node of nodes) {
    if (nodes.length === 1) {
      work(node);
    } else {
      run.output.write(`> ${node.id} ${title}`);
      run.output.indented(() => work(node));
    }
  }
}

function passTicks(node: ScriptNode, count: (node: ScriptNode) => number): void {
  for (let passed = 0; passed < count(node); passed += 1) node.node.tick();
}

function valueOf(args: readonly Argument[], key: string): string | undefined {
  return args.find((one) => one.key === key)?.values[0];
}

function toPeer(value: string): PeerId {
  return peerId(toNumber(value));
}

function toNumber(value: string | undefined): number {
  const number = Number(value);
  if (value === undefined || value === "" || !Number.isSafeInteger(number)) {
    throw new Error(`${value ?? "nothing"} stands where a number should`);
  }
  return number;
}
