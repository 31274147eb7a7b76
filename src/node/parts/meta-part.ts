import type { Catalog } from "#catalog/catalog.ts";
import { MetaStatements } from "#query/influxql/meta/meta.ts";
import type { QueryLog } from "#query/query-log.ts";
import type { NodeConfig } from "../config.ts";
import type { NodePorts } from "../ports.ts";
import { dropTimes } from "./drop-times.ts";
import { processFigures } from "./figures.ts";
import { type DeletingNode, rowDeleter } from "./row-deleter.ts";

/** What of a node changes the catalog, and deletes rows. */
export interface ChangingNode extends DeletingNode {
  changeSchema(database: string, change: (catalog: Catalog) => Promise<unknown>): Promise<void>;
  changeRetention(database: string, change: (catalog: Catalog) => Promise<unknown>): Promise<void>;
}

/** Statements of InfluxQL that are no SELECT, in the name of `node`. */
export function metaStatements(
  node: ChangingNode,
  { config, log, ports }: { config: NodeConfig; log: QueryLog; ports: NodePorts },
): MetaStatements {
  const { clock, random } = ports;
  return new MetaStatements({
    catalog: node.catalog,
    views: node.views,
    engine: node.engine,
    rows: rowDeleter(node, ports),
    changes: {
      change: (database, decide) =>
        node.changeSchema(database, (catalog) => catalog.change(decide)),
      changeRetention: (database, decide) =>
        node.changeRetention(database, (catalog) => catalog.change(decide)),
    },
    figures: processFigures(clock, ports),
    limits: config,
    dropTimes: () => dropTimes("default", clock.nowNs(), config),
    clock,
    log,
    random,
  });
}
