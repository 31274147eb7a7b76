import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { ObservedRequest } from "#http/options.ts";
import type { StoreObserver } from "#objectstore/measured.ts";
import type { MemoryPart } from "./memory.ts";
import type { Node } from "./node.ts";

const STORE_SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10];
const HTTP_SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30];

/** What /metrics tells. The names are those that dashboards for InfluxDB 3 use where there is one. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #httpCount: Counter;
  readonly #httpSeconds: Histogram;
  readonly #httpBytes: Counter;
  readonly #storeSeconds: Histogram;
  readonly #storeBytes: Counter;
  readonly #memoryParts: MemoryPart[] = [];

  constructor() {
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
    this.#httpCount = new Counter({
      name: "http_requests_total",
      help: "Requests answered, by route and outcome.",
      labelNames: ["method", "path", "status"],
      registers,
    });
    this.#httpSeconds = new Histogram({
      name: "http_request_duration_seconds",
      help: "From a request's first byte to its answer's last.",
      labelNames: ["method", "path", "status"],
      buckets: HTTP_SECONDS,
      registers,
    });
    this.#httpBytes = new Counter({
      name: "http_response_body_size_bytes",
      help: "Bytes of answers' bodies.",
      labelNames: ["method", "path"],
      registers,
    });
    this.#storeSeconds = new Histogram({
      name: "object_store_op_duration_seconds",
      help: "Requests to the object store, by kind and outcome.",
      labelNames: ["op", "outcome"],
      buckets: STORE_SECONDS,
      registers,
    });
    this.#storeBytes = new Counter({
      name: "object_store_transfer_bytes_total",
      help: "Bytes put to and got from the object store.",
      labelNames: ["op"],
      registers,
    });
    this.#memoryGauge(
      "tidelake_memory_bytes",
      "What each part of the memory takes, about; of engine, its rows alone.",
      ({ sizeBytes }) => sizeBytes(),
    );
    this.#memoryGauge(
      "tidelake_memory_max_bytes",
      "What each part of the memory may take.",
      ({ sizeMax }) => sizeMax,
    );
  }

  /** Shows what these parts of the memory take from now on, and what they may. */
  showMemory(parts: readonly MemoryPart[]): void {
    this.#memoryParts.push(...parts);
  }

  /** Counts a request that was answered. */
  observeRequest = ({
    method,
    route,
    outcome,
    durationMs,
    answerSizeBytes,
  }: ObservedRequest): void => {
    this.#httpCount.inc({ method, path: route, status: outcome });
    this.#httpSeconds.observe({ method, path: route, status: outcome }, durationMs / 1_000);
    this.#httpBytes.inc({ method, path: route }, answerSizeBytes);
  };

  /** Counts a request to the object store. */
  observeStore: StoreObserver = (operation, outcome, durationMs, sizeBytes) => {
    this.#storeSeconds.observe({ op: operation, outcome }, durationMs / 1_000);
    if (sizeBytes > 0) this.#storeBytes.inc({ op: operation }, sizeBytes);
  };

  /** Shows the state of `node` from now on. */
  show(node: Node): void {
    this.showMemory(node.memoryParts);
    this.#showCompactor(node);
    this.#gauge(
      "tidelake_buffer_bytes",
      "Bytes that buffered rows take in the engine, about.",
      () => node.engine.bufferSizeBytes(),
    );
    this.#gauge(
      "tidelake_unsaved_rows",
      "Rows of this node's log that are in no file yet.",
      () => node.unsavedRowCount,
    );
    this.#gauge(
      "tidelake_write_queue_bytes",
      "Bytes of writes that wait to be durable.",
      () => node.ingest?.flusher.pendingSizeBytes ?? 0,
    );
    this.#gauge(
      "tidelake_log_position",
      "The last entry of this node's log.",
      () => node.ingest?.writer.state.position ?? 0,
    );
    this.#gauge(
      "tidelake_catalog_version",
      "The catalog version that this node has read.",
      () => node.catalog.state.position,
    );
    this.#gauge(
      "tidelake_manifest_position",
      "The manifest position that this node has read.",
      () => node.manifest.state.position,
    );
    this.#gauge(
      "tidelake_silent_peers",
      "Other nodes that should run and are not heard: while there are any, this node looks in the store.",
      () => node.silentPeerCount,
    );
    this.#counter(
      "tidelake_snapshots_total",
      "Snapshots: times that buffered rows became files.",
      () => node.ingest?.snapshotCounts.taken ?? 0,
    );
    this.#counter(
      "tidelake_snapshots_seconds_total",
      "How long the snapshots took, together.",
      () => (node.ingest?.snapshotCounts.ms ?? 0) / 1_000,
    );
    this.#counter(
      "tidelake_pushes_sent_total",
      "Pushes of this node's log that a peer took.",
      () => node.ingest?.pusher.counts.sent ?? 0,
    );
    this.#counter(
      "tidelake_pushes_failed_total",
      "Pushes that no peer took in time.",
      () => node.ingest?.pusher.counts.failed ?? 0,
    );
    this.#counter(
      "tidelake_pushes_merged_total",
      "Entries that had no push of their own, because a later one was there before it could leave.",
      () => node.ingest?.pusher.counts.merged ?? 0,
    );
    this.#showContinuousQueries(node);
    this.#showCompaction(node);
  }

  #showContinuousQueries(node: Node): void {
    const { continuous } = node.answers;
    this.#counter(
      "tidelake_continuous_query_runs_total",
      "Runs of continuous queries that this node has finished.",
      () => continuous?.counts.finished ?? 0,
    );
    this.#counter(
      "tidelake_continuous_query_failures_total",
      "Runs of continuous queries that failed on this node, to be tried again.",
      () => continuous?.counts.failed ?? 0,
    );
  }

  /** Nothing for a node that does not compact. */
  #showCompaction({ compaction }: Node): void {
    if (compaction === undefined) return;
    const { history } = compaction.compactor;
    const totals = [
      ["compactions_total", "Compactions that were published.", () => history.counts.published],
      ["compactions_failed_total", "Compactions that failed.", () => history.counts.failed],
      ["compaction_rows_read_total", "Rows of replaced files.", () => history.counts.rowsIn],
      ["compaction_rows_written_total", "Rows of compacted files.", () => history.counts.rowsOut],
      ["compaction_bytes_read_total", "Bytes of replaced files.", () => history.counts.bytesIn],
      [
        "compaction_bytes_written_total",
        "Bytes of compacted files.",
        () => history.counts.bytesOut,
      ],
      ["compaction_seconds_total", "How long they took.", () => history.counts.ms / 1_000],
    ] as const;
    for (const [name, help, read] of totals) this.#counter(`tidelake_${name}`, help, read);
  }

  #showCompactor(node: Node): void {
    this.#gauge(
      "influxdb3_compactor_is_primary",
      "1 while this node is in the compactor's office.",
      () => (node.compaction?.office.term === undefined ? 0 : 1),
    );
    this.#gauge(
      "influxdb3_compactor_lease_version",
      "The newest term in the compactor's office, as this node has read.",
      () => node.manifest.state.office.epoch,
    );
    this.#counter(
      "tidelake_replaced_files_deleted_total",
      "Files deleted by this node because compaction has replaced them.",
      () => node.compaction?.deletedCounts.cleanup ?? 0,
    );
    this.#counter(
      "tidelake_orphans_deleted_total",
      "Files of compactors deleted by this node because no record names them.",
      () => node.compaction?.deletedCounts.sweep ?? 0,
    );
  }

  /** Prometheus text. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  #memoryGauge(name: string, help: string, read: (part: MemoryPart) => number): void {
    const gauge: Gauge = new Gauge({
      name,
      help,
      labelNames: ["part"],
      registers: [this.#registry],
      collect: () => {
        for (const part of this.#memoryParts) gauge.set({ part: part.name }, read(part));
      },
    });
  }

  #gauge(name: string, help: string, read: () => number): void {
    const gauge: Gauge = new Gauge({
      name,
      help,
      registers: [this.#registry],
      collect: () => gauge.set(read()),
    });
    gauge.set(read());
  }

  #counter(name: string, help: string, read: () => number): void {
    const counter: Counter = new Counter({
      name,
      help,
      registers: [this.#registry],
      collect: () => {
        counter.reset();
        counter.inc(read());
      },
    });
  }
}
