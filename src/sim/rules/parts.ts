import { Catalog, type Registration } from "#catalog/catalog.ts";
import { deleteOrphans } from "#lifecycle/orphans.ts";
import { Manifest } from "#manifest/manifest.ts";
import { NodeLogWriter } from "#nodelog/node-log-writer.ts";
import { ObjectLog } from "#objectlog/object-log.ts";
import { NEEDS_NOTHING } from "#objectlog/record.ts";
import { neverAborted } from "#testing/logs.ts";
import type { Actor } from "./stage.ts";

/** What node 1 says of itself. */
export const registration: Registration = {
  nodeId: "node1",
  instanceId: "instance1",
  modes: ["ingest"],
  address: "node1",
  coreCount: 1,
  hasLog: true,
};

const DATA_PREFIX = "node1/data/";

/** A process of node 1 that has taken its epoch: its catalog, its manifest, and its log once it has won the fence. */
export class Parts {
  readonly actor: Actor;
  readonly catalog: Catalog;
  readonly manifest: Manifest;

  private constructor(actor: Actor) {
    this.actor = actor;
    this.catalog = new Catalog("cluster", actor.ports, neverAborted());
    this.manifest = new Manifest("cluster", actor.ports, {
      writer: () => this.catalog.writer,
      signal: neverAborted(),
    });
  }

  static async register(actor: Actor): Promise<Parts> {
    const parts = new Parts(actor);
    await parts.catalog.register(registration, () => actor.process.clock.nowNs());
    return parts;
  }

  winFence(): Promise<NodeLogWriter> {
    return NodeLogWriter.start({
      log: new ObjectLog("node1/log/", this.actor.ports),
      writer: this.catalog.writer,
      observer: {},
      signal: neverAborted(),
      needs: NEEDS_NOTHING,
    });
  }

  /** Puts a data file of this epoch; answers its key. */
  async putFile(name: string): Promise<string> {
    const { epoch } = this.catalog.writer;
    const key = `${DATA_PREFIX}1/${epoch}-${name.padEnd(16, "0")}.parquet`;
    await this.actor.ports.store.putIfAbsent(key, Uint8Array.of(1));
    return key;
  }

  deleteOrphans(writer: NodeLogWriter): Promise<number> {
    const { manifest } = this;
    const { log, store } = this.actor.ports;
    return deleteOrphans({ prefix: DATA_PREFIX, manifest, writer, store, log });
  }
}
