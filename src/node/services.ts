import type { HttpServices, NodeIdentity } from "#http/services.ts";
import { INTERNAL_DATABASE } from "#query/query.ts";
import type { Metrics } from "./metrics.ts";
import type { Node } from "./node.ts";

/** When the files of a dropped database may go, counted from the drop, unless somebody says otherwise: 90 days. */
const HARD_DELETE_DEFAULT_MS = 90 * 86_400_000;

/** What the HTTP surface calls, on a running node. */
export function nodeServices(
  node: Node,
  metrics: Metrics,
  identity: () => NodeIdentity,
  nowNs: () => bigint,
): HttpServices {
  return {
    write: (request, signal) => node.write(request, signal),
    query: (request, signal) => node.query(request, signal),
    createDatabase: ({ name, retentionNs }) => node.createDatabase(name, retentionNs),
    updateDatabase: ({ name, retentionNs }) => node.setRetention(name, retentionNs),
    deleteDatabase: ({ name, hardDelete }) => {
      const { hardDeleteDefaultMs = HARD_DELETE_DEFAULT_MS } = node.config;
      const defaultNs = nowNs() + BigInt(Math.floor(hardDeleteDefaultMs)) * 1_000_000n;
      const atNs = hardDeleteTime(hardDelete, { nowNs: nowNs(), defaultNs });
      return node.dropDatabase(name, atNs);
    },
    async listDatabases({ showDeleted }) {
      const { databases } = await node.catalog.refresh();
      const listed = [...databases.values()].map(({ name, dropped }) => ({
        name,
        deleted: dropped !== undefined,
      }));
      const internal = { name: INTERNAL_DATABASE, deleted: false };
      return [internal, ...listed.filter(({ deleted }) => showDeleted || !deleted)];
    },
    queryConcurrency: () => ({
      limit: node.queries.concurrentMax,
      limitMax: node.config.concurrentQueriesMax,
    }),
    limitQueryConcurrency: (limit) => node.queries.limitConcurrency(limit),
    ready: () => node.ready(),
    refresh: () => node.refresh(),
    hearPush: (push) => node.hearPush(push),
    identify: identity,
    metrics: () => metrics.text(),
  };
}

type HardDelete = Parameters<HttpServices["deleteDatabase"]>[0]["hardDelete"];

function hardDeleteTime(
  hardDelete: HardDelete,
  { nowNs, defaultNs }: { nowNs: bigint; defaultNs: bigint },
): bigint | undefined {
  if (hardDelete === "never") return undefined;
  if (hardDelete === "now") return nowNs;
  return hardDelete === "default" ? defaultNs : hardDelete.atNs;
}
