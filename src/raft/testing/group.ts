import { peerId } from "../message.ts";
import type { RaftNode } from "../node.ts";
import type { Ready } from "../ready.ts";
import { Cluster, type NodeSettings } from "./cluster.ts";
import { Output } from "./output.ts";

/** The index of the snapshot that a group starts from. */
export const START = 5;

/** Nodes that vote, at one log; what they hand out is in `readys`. */
export class Group {
  readonly readys: Ready[] = [];
  readonly #cluster: Cluster;

  constructor(count: number, settings: NodeSettings = {}) {
    const output = new Output();
    output.quiet = true;
    this.#cluster = new Cluster(output);
    const voters = Array.from({ length: count }, (_, i) => peerId(i + 1));
    const configuration = {
      voters,
      votersOutgoing: [],
      learners: [],
      learnersNext: [],
      autoLeave: false,
    };
    const snapshot = { index: START, term: 0, configuration, data: new Uint8Array() };
    for (const _ of voters) this.#cluster.add({ appliedIndex: START, ...settings }, snapshot);
    for (const { node } of this.#cluster.nodes) this.#record(node);
  }

  node(id: number): RaftNode {
    return this.#cluster.node(id).node;
  }

  /** Moves all messages of these nodes, or of all. */
  settle(...ids: readonly number[]): void {
    const nodes = ids.map((id) => this.#cluster.node(id));
    this.#cluster.stabilize(ids.length === 0 ? this.#cluster.nodes : nodes);
  }

  lose(...ids: readonly number[]): void {
    this.#cluster.deliver(ids.map((id) => ({ id: peerId(id), dropped: true })));
  }

  reads(): readonly [number, string][] {
    return this.readys.flatMap(({ readStates }) =>
      readStates.map(({ index, context }): [number, string] => [index, context]),
    );
  }

  #record(node: RaftNode): void {
    const ready = node.ready.bind(node);
    node.ready = () => {
      const made = ready();
      this.readys.push(made);
      return made;
    };
  }
}
