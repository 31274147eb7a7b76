import { isKind } from "#base/errors.ts";
import type { NamedTagCondition, RowDeletion } from "#model/row-delete.ts";
import type { WriteToken } from "#model/write-token.ts";
import type { Node } from "#node/node.ts";
import type { SimCluster, SimHost } from "../sim-cluster.ts";
import type { Truth } from "../truth.ts";
import { DATABASE, START_NS, type Workload, type WrittenLine } from "../workload.ts";

type Attempt = <T>(call: () => Promise<T>) => Promise<T | undefined>;

/** A line that was acknowledged, when it was sent and when its answer came, in steps of `Deletions.tick`. */
export interface TimedLine extends WrittenLine {
  readonly sentAt: number;
  readonly answeredAt: number;
  readonly token: WriteToken;
}

/** A delete that was answered. */
interface AnsweredDelete {
  readonly deletion: RowDeletion;
  readonly hosts: readonly string[];
  readonly askedAt: number;
  readonly answeredAt: number;
}

const SECOND_NS = 1_000_000_000n;
const HOSTS: readonly string[] = ["a", "b"];

/** Somebody who deletes rows, and holds the cluster to what promise 7 says of that. */
export class Deletions {
  readonly #cluster: SimCluster;
  readonly #workload: Workload;
  readonly #attempt: Attempt;
  readonly #answered: AnsweredDelete[] = [];
  /** The catalog version in which a delete is in force that a node has answered. */
  readonly #inForce = new WeakMap<Node, number>();
  #ticks = 0;
  #askedCount = 0;

  constructor(cluster: SimCluster, workload: Workload, attempt: Attempt) {
    this.#cluster = cluster;
    this.#workload = workload;
    this.#attempt = attempt;
  }

  get answeredCount(): number {
    return this.#answered.length;
  }

  /** Later than all that came before. */
  tick(): number {
    this.#ticks += 1;
    return this.#ticks;
  }

  /** What views that `node` takes from now on must have of the catalog. */
  inForceAt(node: Node): number {
    return this.#inForce.get(node) ?? 0;
  }

  async run(isCalm: () => boolean): Promise<void> {
    const { world } = this.#cluster;
    while (!isCalm()) {
      await world.sleep(500 + world.below(5_000));
      await this.#delete(this.#cluster.hosts[world.below(3)] as SimHost);
    }
  }

  async #delete(host: SimHost): Promise<void> {
    const { node, deleter } = host;
    if (node === undefined || deleter === undefined) return;
    const { deletion, hosts } = this.#make();
    const askedAt = this.tick();
    const token = await this.#attempt(() =>
      deleter.deleteRows(deletion, new AbortController().signal).catch(ignoreMissing),
    );
    if (token === undefined) return;
    this.#answered.push({ deletion, hosts, askedAt, answeredAt: this.tick() });
    this.#inForce.set(node, Math.max(this.inForceAt(node), token.catalog));
  }

  /** A delete of some rows, and which of HOSTS it is about. The last nanoseconds of its time are those of no other. */
  #make(): { readonly deletion: RowDeletion; readonly hosts: readonly string[] } {
    const { world } = this.#cluster;
    this.#askedCount += 1;
    const start = START_NS + BigInt(world.below(6)) * SECOND_NS;
    const end = start + BigInt(world.below(4)) * SECOND_NS + BigInt(this.#askedCount);
    const value = HOSTS[world.below(2)] as string;
    const negated = world.chance(0.3);
    const equal: NamedTagCondition = { kind: "equal", tag: "k", value, negated };
    const all = world.chance(0.4);
    const tables = world.chance(0.3) ? undefined : [this.#workload.table()];
    const condition = all ? undefined : equal;
    const hosts = all ? HOSTS : HOSTS.filter((host) => (host === value) !== negated);
    return { deletion: { database: DATABASE, tables, time: { start, end }, condition }, hosts };
  }

  /** What is wrong with the cuts: a delete takes all that was acknowledged before it was asked for, and nothing that was sent after its answer. */
  problems(truth: Truth, lines: readonly TimedLine[]): readonly string[] {
    return this.#answered.flatMap((one) => {
      const { end } = one.deletion.time;
      return lines
        .filter((line) => isMeant(one, line))
        .flatMap(({ answeredAt, sentAt, table, text, token }) => {
          const isCovered = truth.deletes.cutOf(table, end, token.node) >= token.stamp;
          if (answeredAt < one.askedAt && !isCovered)
            return [`P7: ${text} was acknowledged before a delete that does not cover it`];
          if (sentAt > one.answeredAt && isCovered)
            return [`P7: ${text} was sent after the answer to a delete that covers it`];
          return [];
        });
    });
  }
}

/** Whether the delete is about such a line, whenever it was written. */
function isMeant({ deletion, hosts }: AnsweredDelete, line: TimedLine): boolean {
  const { database, tables, time } = deletion;
  return (
    line.database === database &&
    (tables === undefined || tables.includes(line.table)) &&
    time.start <= line.timeNs &&
    line.timeNs <= time.end &&
    hosts.includes(line.host)
  );
}

/** Nobody may have written yet. */
function ignoreMissing(error: unknown): undefined {
  if (!isKind(error, "not_found")) throw error;
}
