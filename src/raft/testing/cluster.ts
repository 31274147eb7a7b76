import { seededRandom } from "#ports/random.ts";
import { decodeChange } from "../configuration/change.ts";
import { MemoryStorage } from "../log/memory-storage.ts";
import {
  APPEND_THREAD,
  APPLY_THREAD,
  type ConfigurationState,
  type Entry,
  type HardState,
  type Message,
  type MessageKind,
  message,
  type PeerId,
  peerId,
  type Snapshot,
} from "../message.ts";
import { RaftNode } from "../node.ts";
import { RAFT_DEFAULTS, type RaftOptions } from "../options.ts";
import { describeEntries, describeMessage, describeReady, describeRefusal } from "./describe.ts";
import type { Output } from "./output.ts";

/** What scripts may say of the nodes that they add. */
export type NodeSettings = Omit<Partial<RaftOptions>, "id" | "storage" | "random">;

/** A storage that answers, asked for a snapshot, with one of all that was applied. Its state machine strings data together. */
class SnapshottingStorage extends MemoryStorage {
  #newest: Snapshot;

  constructor(initial: Snapshot) {
    super();
    this.#newest = initial;
    super.applySnapshot(initial);
  }

  override snapshot(): Snapshot | undefined {
    return this.#newest.index === 0 ? undefined : this.#newest;
  }

  override applySnapshot(snapshot: Snapshot): void {
    this.#newest = snapshot;
    super.applySnapshot(snapshot);
  }

  apply({ index, term, kind, data }: Entry, configuration: ConfigurationState | undefined): void {
    const before = this.#newest;
    this.#newest = {
      index,
      term,
      data: kind === "normal" ? new Uint8Array([...before.data, ...data]) : before.data,
      configuration: configuration ?? before.configuration,
    };
  }
}

export interface ScriptNode {
  readonly id: PeerId;
  readonly options: RaftOptions;
  readonly node: RaftNode;
  readonly storage: SnapshottingStorage;
  /** Messages to the append and the apply thread, oldest first. */
  readonly appendWork: Message[];
  readonly applyWork: Message[];
}

/** Whom messages are taken for, and whether they arrive. */
export interface Recipient {
  readonly id: PeerId;
  readonly dropped: boolean;
}

interface Turn {
  readonly waiting: (node: ScriptNode) => boolean;
  readonly work: (node: ScriptNode) => void;
}

/** Nodes, and the messages between them, which move when a script says so. */
export class Cluster {
  readonly #output: Output;
  readonly #nodes: ScriptNode[] = [];
  #messages: Message[] = [];

  constructor(output: Output) {
    this.#output = output;
  }

  get nodes(): readonly ScriptNode[] {
    return this.#nodes;
  }

  /** The node of number `id`. */
  node(id: number): ScriptNode {
    const found = this.#nodes[id - 1];
    if (found === undefined) throw new Error(`there is no node ${id}`);
    return found;
  }

  /** A node with the next number, that starts from `snapshot`, or from nothing. */
  add(settings: NodeSettings, snapshot: Snapshot): void {
    const id = peerId(this.#nodes.length + 1);
    const storage = new SnapshottingStorage(snapshot);
    const options: RaftOptions = {
      ...RAFT_DEFAULTS,
      electionTicks: 3,
      messageBytesMax: Number.POSITIVE_INFINITY,
      applyingBytesMax: Number.POSITIVE_INFINITY,
      uncommittedBytesMax: Number.POSITIVE_INFINITY,
      inflightCountMax: Number.POSITIVE_INFINITY,
      inflightBytesMax: Number.POSITIVE_INFINITY,
      preVote: false,
      checkQuorum: false,
      stepDownOnRemoval: false,
      votesAfterAppend: false,
      commitByVotes: false,
      ...settings,
      id,
      storage,
      random: seededRandom(id),
    };
    const node = new RaftNode(options);
    this.#nodes.push({ id, options, node, storage, appendWork: [], applyWork: [] });
  }

  send(sent: Message): void {
    this.#messages.push(sent);
  }

  /** Lets messages of `kind`, or any, arrive at or get lost before each recipient. Answers how many there were. */
  deliver(recipients: readonly Recipient[], kind?: MessageKind): number {
    let count = 0;
    for (const recipient of recipients) {
      const taken = this.#messages.filter((sent) => isFor(sent, recipient, kind));
      this.#messages = this.#messages.filter((sent) => !isFor(sent, recipient, kind));
      count += taken.length;
      for (const sent of taken) this.#arrive(sent, recipient);
    }
    return count;
  }

  /** Stores, applies and sends what a node hands out. */
  processReady({ node, storage, options, appendWork, applyWork }: ScriptNode): void {
    const ready = node.ready();
    this.#output.write(describeReady(ready));
    if (!options.asyncStorageWrites) {
      store(storage, ready.hardState, ready);
      applyEntries(node, storage, ready.committedEntries);
    }
    for (const sent of ready.messages) {
      if (sent.to === APPEND_THREAD) appendWork.push(sent);
      else if (sent.to === APPLY_THREAD) applyWork.push(sent);
      else this.#messages.push(sent);
    }
    if (!options.asyncStorageWrites) node.advance();
  }

  processAppendThread({ storage, appendWork }: ScriptNode): void {
    const work = appendWork.shift();
    if (work === undefined) {
      this.#output.write("no append work to perform");
      return;
    }
    this.#processing(work, () => {
      const { term, vote, commit } = work;
      const empty = term === 0 && vote === 0 && commit === 0;
      store(storage, empty ? undefined : { term, vote, commit }, work);
    });
  }

  processApplyThread({ node, storage, applyWork }: ScriptNode): void {
    const work = applyWork.shift();
    if (work === undefined) {
      this.#output.write("no apply work to perform");
      return;
    }
    this.#processing(work, () => applyEntries(node, storage, work.entries));
  }

  /** Moves everything of `nodes`, in turn, until nothing moves any more. */
  stabilize(nodes: readonly ScriptNode[]): void {
    for (let moved = true; moved; ) {
      const turns = [
        this.#turn(nodes, "handling Ready", {
          waiting: ({ node }) => node.hasReady(),
          work: (one) => this.processReady(one),
        }),
        this.#turn(nodes, "receiving messages", {
          waiting: ({ id }) => this.#hasMessages(id),
          work: ({ id }) => this.deliver([{ id, dropped: false }]),
        }),
        this.#turn(nodes, "processing append thread", {
          waiting: ({ appendWork }) => appendWork.length > 0,
          work: (one) => {
            while (one.appendWork.length > 0) this.processAppendThread(one);
          },
        }),
        this.#turn(nodes, "processing apply thread", {
          waiting: ({ applyWork }) => applyWork.length > 0,
          work: (one) => {
            while (one.applyWork.length > 0) this.processApplyThread(one);
          },
        }),
      ];
      moved = turns.includes(true);
    }
  }

  /** Shows the stored log of a node. */
  writeLog({ storage }: ScriptNode): void {
    const first = storage.firstIndex();
    const last = storage.lastIndex();
    if (last < first) {
      this.#output.write(`log is empty: first index=${first}, last index=${last}`);
      return;
    }
    const entries = storage.entries(first, last + 1, Number.POSITIVE_INFINITY) ?? [];
    this.#output.write(describeEntries(entries).join("\n"));
  }

  /** Lets each of `nodes` do what waits for it; answers whether one had something to do. */
  #turn(nodes: readonly ScriptNode[], title: string, { waiting, work }: Turn): boolean {
    let moved = false;
    for (const node of nodes) {
      if (!waiting(node)) continue;
      moved = true;
      this.#output.write(`> ${node.id} ${title}`);
      this.#output.indented(() => work(node));
    }
    return moved;
  }

  #hasMessages(id: PeerId): boolean {
    return this.#messages.some((sent) => isFor(sent, { id, dropped: false }, undefined));
  }

  #arrive(sent: Message, { dropped }: Recipient): void {
    this.#output.write(`${dropped ? "dropped: " : ""}${describeMessage(sent)}`);
    if (dropped) return;
    const refusal = this.node(sent.to).node.step(sent);
    if (refusal !== undefined) this.#output.write(describeRefusal(refusal));
  }

  #processing(work: Message, done: () => void): void {
    this.#output.write(`Processing:\n${describeMessage(message({ ...work, responses: [] }))}`);
    done();
    this.#output.write("Responses:");
    for (const response of work.responses) this.#output.write(describeMessage(response));
    this.#messages.push(...work.responses);
  }
}

/** What a node says to itself or its storage is never lost. */
function isFor(sent: Message, recipient: Recipient, kind: MessageKind | undefined): boolean {
  if (sent.to !== recipient.id || (kind !== undefined && sent.kind !== kind)) return false;
  const local = sent.from === sent.to || sent.from === APPEND_THREAD || sent.from === APPLY_THREAD;
  return !(recipient.dropped && local);
}

function store(
  storage: MemoryStorage,
  hardState: HardState | undefined,
  written: { readonly entries: readonly Entry[]; readonly snapshot: Snapshot | undefined },
): void {
  if (hardState !== undefined) storage.setHardState(hardState);
  if (written.snapshot === undefined) {
    storage.append(written.entries);
  } else if (written.entries.length > 0) {
    throw new Error("can't apply snapshot and entries at the same time");
  } else {
    storage.applySnapshot(written.snapshot);
  }
}

function applyEntries(
  node: RaftNode,
  storage: SnapshottingStorage,
  entries: readonly Entry[],
): void {
  for (const entry of entries) {
    const change = decodeChange(entry);
    storage.apply(entry, change === undefined ? undefined : node.applyChange(change));
  }
}
