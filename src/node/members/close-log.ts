import { Signal } from "#base/async.ts";
import { Buffer } from "#buffer/buffer.ts";
import type { Catalog } from "#catalog/catalog.ts";
import { Snapshotter } from "#ingest/snapshotter.ts";
import { nodeLogPrefix } from "#lifecycle/followers.ts";
import type { Manifest } from "#manifest/manifest.ts";
import { adoptedOf } from "#manifest/manifest-state.ts";
import { NodeLogWriter } from "#nodelog/node-log-writer.ts";
import { ObjectLog } from "#objectlog/object-log.ts";
import type { Writer } from "#objectlog/shared-log.ts";
import type { Engine } from "#ports/engine.ts";
import { bufferObserver } from "#view/log-source.ts";
import type { NodeConfig } from "../config.ts";
import { FILE_ROW_COUNT_MIN } from "../parts/ingest-part.ts";
import type { NodePorts } from "../ports.ts";

/** What closing a log takes of the node that does it. */
export interface CloserParts {
  readonly config: NodeConfig;
  readonly ports: NodePorts;
  readonly catalog: Catalog;
  readonly manifest: Manifest;
  readonly engine: Engine;
}

/** Files are made of blocks: nobody asks an engine for rows of a log that is being closed. */
const NO_ENGINE = {
  append: () => Promise.resolve(),
  dropGeneration: () => Promise.resolve(),
};

/**
 * Closes the log of `nodeId` in the epoch `writer`, which the catalog has given for this: wins its fence, so that no older epoch appends
 * any more, leaves its rows in files and its replay short. Takes what a start of that node takes: memory for its rows that are in no file.
 *
 * Several who do this at once do no harm: all but the highest epoch meet a later fence. Rejects as the store and the engine do, and with
 * `conflict` / `node_fenced` where a later epoch has begun; then another call needs another epoch.
 */
export async function closeLog(
  parts: CloserParts,
  { nodeId, writer }: { readonly nodeId: string; readonly writer: Writer },
  signal: AbortSignal,
): Promise<NodeLogWriter> {
  const { catalog, config, engine, manifest, ports } = parts;
  const { clock, random, store } = ports;
  const buffer = new Buffer(() => NO_ENGINE).of(writer.node);
  const log = await NodeLogWriter.start({
    log: new ObjectLog(nodeLogPrefix(nodeId), ports),
    writer,
    observer: bufferObserver(buffer, new Signal()),
    signal,
    needs: { catalog: catalog.state.position, manifest: 0 },
  });
  const snapshotter = new Snapshotter({
    nodeId,
    catalog,
    writer: log,
    buffer,
    engine,
    store,
    clock,
    random,
    windowNs: BigInt(config.gen1DurationMs) * 1_000_000n,
    fileRowCountMin: FILE_ROW_COUNT_MIN,
  });
  await snapshotter.take(signal);
  const { position } = adoptedOf(manifest.state, writer.node);
  await log.checkpoint({ position, manifest: manifest.state.position });
  return log;
}
