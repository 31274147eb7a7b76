import { setTimeout as sleep } from "node:timers/promises";
import { utf8 } from "#base/bytes.ts";
import { DbError } from "#base/errors.ts";
import { v } from "#base/schema.ts";
import type { CommandInput, CommandSpec } from "../command.ts";
import type { OptionSpec } from "../options.ts";
import { parseDuration } from "../values/duration.ts";
import { confirm } from "./confirm.ts";
import {
  isSuccess,
  refusal,
  type Server,
  sendForAnswer,
  sendForText,
  serverOf,
  withHint,
} from "./connection.ts";
import { SERVER_OPTIONS } from "./options.ts";

const NODE_OPTIONS: readonly OptionSpec[] = [
  ...SERVER_OPTIONS,
  { name: "node-id", value: "NODE_ID", about: "The node" },
  { name: "no-confirm", about: "Do not ask", old: { flags: ["force"] } },
];

export const STOP_NODE: CommandSpec = {
  path: "stop node",
  about: "Stop a node of the cluster, through it or any other",
  options: [
    ...NODE_OPTIONS,
    { name: "timeout", value: "DURATION", about: "How long to wait for its end", default: "5m" },
    { name: "no-wait", about: "Return when the cluster knows that it is to stop" },
  ],
  notes: "A node that does not answer is closed by the one at --host: all its rows stay.",
  run: stopNode,
};

export const REMOVE_NODE: CommandSpec = {
  path: "remove node",
  about: "Remove a node that has stopped from the cluster; its rows stay",
  options: [
    ...NODE_OPTIONS,
    { name: "force-finalize", about: "No effect: no row is lost without it either" },
  ],
  notes: "The compactor does it when all its rows are in files; 'show nodes' lists it until then.",
  run: removeNode,
};

const PATH = "/api/v3/enterprise/configure/node";
const IDENTITY_PATH = "/api/v3/tidelake/node";
const LOOK_MS = 500;
const STATUS_ALREADY = 400;
const ALREADY = "already stopped";

const statesSchema = v.array(v.object({ state: v.string() }));
const identitySchema = v.object({ nodeId: v.string() });

async function stopNode(input: CommandInput): Promise<number> {
  const { settings, terminal } = input;
  const nodeId = settings.require("node-id");
  const timeoutMs = settings.parse("timeout", parseDuration);
  const server = await serverOf(input);
  if (!settings.isOn("no-confirm"))
    await confirm(terminal, `Are you sure you want to stop node "${nodeId}"?`, "--no-confirm");
  const isItself = (await askIdentity(server)) === nodeId;
  const answer = await sendForAnswer(server, request("stop", { node_id: nodeId }));
  if (answer.status === STATUS_ALREADY && answer.text.includes(ALREADY)) {
    terminal.out(`Node "${nodeId}" is already stopped`);
    return 0;
  }
  if (!isSuccess(answer.status)) throw refusal(answer);
  if (settings.isOn("no-wait")) {
    terminal.out(`Node "${nodeId}" is stopping`);
    return 0;
  }
  terminal.out(await waitForEnd(server, { nodeId, isItself, timeoutMs }));
  return 0;
}

async function removeNode(input: CommandInput): Promise<number> {
  const { settings, terminal } = input;
  const nodeId = settings.require("node-id");
  const server = await serverOf(input);
  if (!settings.isOn("no-confirm"))
    await confirm(terminal, `Are you sure you want to remove node "${nodeId}"?`, "--no-confirm");
  const body = { node_id: nodeId, force_finalize: settings.isOn("force-finalize") };
  await withHint(
    sendForText(server, request("remove", body)),
    /is not fully stopped/,
    `stop it first: '${terminal.programName} stop node --node-id ${nodeId}'`,
  );
  terminal.out(`Node "${nodeId}" is being removed`);
  return 0;
}

function request(what: "stop" | "remove", body: Readonly<Record<string, unknown>>) {
  return {
    method: "POST",
    path: `${PATH}/${what}`,
    contentType: "application/json",
    body: utf8(JSON.stringify(body)),
  } as const;
}

/**
 * Waits until the node has stopped; answers what to say about it. `isItself`: the server is that node, and ends with it.
 * Rejects with `unavailable` / `node_not_stopped_yet` when it has not in time, or runs again.
 */
async function waitForEnd(
  server: Server,
  { nodeId, isItself, timeoutMs }: { nodeId: string; isItself: boolean; timeoutMs: number },
): Promise<string> {
  let state = "unknown";
  for (const endMs = performance.now() + timeoutMs; performance.now() < endMs; ) {
    const found = await findState(server, nodeId);
    if (found === "unreachable" && isItself)
      return `Node "${nodeId}" ended; 'show nodes' on another node tells whether it stopped`;
    if (found === "stopped" || found === "gone") return `Node "${nodeId}" stopped`;
    // The server that took the order has read of it: only a start comes after that.
    if (found === "running") throw notStopped(nodeId, "it was started again", found);
    if (found !== undefined && found !== "unreachable") state = found;
    await sleep(LOOK_MS);
  }
  const reason = `${timeoutMs / 1000} s are over; its last state is ${state}`;
  throw notStopped(nodeId, reason, state);
}

function notStopped(nodeId: string, reason: string, state: string): DbError {
  const message = `node "${nodeId}" has not stopped: ${reason}`;
  return new DbError("unavailable", "node_not_stopped_yet", message, { detail: { nodeId, state } });
}

/** The state that the server shows; `gone` when it lists the node no more, `unreachable` when nobody answers, undefined for a 503. */
async function findState(server: Server, nodeId: string): Promise<string | undefined> {
  const body = utf8(
    JSON.stringify({
      db: "_internal",
      q: "SELECT state FROM system.nodes WHERE node_id = $node_id",
      params: { node_id: nodeId },
      format: "json",
    }),
  );
  try {
    const { status, text } = await sendForAnswer(server, {
      method: "POST",
      path: "/api/v3/query_sql",
      contentType: "application/json",
      body,
      silenceMsMax: 10_000,
    });
    // A node that stops answers so until it ends.
    if (status === 503) return undefined;
    if (!isSuccess(status)) throw refusal({ status, text });
    return v.parse(statesSchema, JSON.parse(text))[0]?.state ?? "gone";
  } catch (error) {
    if (error instanceof DbError && error.code === "server_unreachable") return "unreachable";
    throw error;
  }
}

/** The node-id of the server; undefined when it does not say. */
async function askIdentity(server: Server): Promise<string | undefined> {
  const { status, text } = await sendForAnswer(server, { method: "GET", path: IDENTITY_PATH });
  if (!isSuccess(status)) return undefined;
  const identity = v.safeParse(identitySchema, parseJson(text));
  return identity.success ? identity.output.nodeId : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
