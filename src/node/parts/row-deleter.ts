import type { Catalog } from "#catalog/catalog.ts";
import { TABLE_VALUES_LENGTH_MAX } from "#catalog/deletes.ts";
import { PATTERN_VALUES_MAX, RowDeletes } from "#lifecycle/deletes/row-deletes.ts";
import type { Manifest } from "#manifest/manifest.ts";
import type { RowDeleter } from "#model/row-delete.ts";
import type { ObjectLogPorts } from "#objectlog/object-log.ts";
import type { Engine } from "#ports/engine.ts";
import { findTagValues } from "#query/tag-values.ts";
import type { LogSource } from "#view/log-source.ts";
import type { Views } from "#view/views.ts";
import type { NodeMode } from "../config.ts";
import { answerFenced, refuseInternal } from "../members/refusals.ts";

/** What of a node deletes rows. */
export interface DeletingNode {
  readonly catalog: Catalog;
  readonly engine: Engine;
  readonly manifest: Manifest;
  readonly views: Views;
  logs(): Iterable<LogSource>;
  requireMode(mode: NodeMode): void;
  greetPeers(): void;
}

/** Deletes rows in the name of `node`, and tells the others that there is something new in the catalog. */
export function rowDeleter(node: DeletingNode, ports: ObjectLogPorts): RowDeleter {
  const { catalog, engine, manifest, views } = node;
  const deletes = new RowDeletes({
    catalog,
    manifest,
    ports,
    logs: () => node.logs(),
    findValues(pattern, tokens, signal) {
      node.requireMode("query");
      const countMax = PATTERN_VALUES_MAX + 1;
      const question = { ...pattern, countMax, lengthMax: TABLE_VALUES_LENGTH_MAX };
      return findTagValues({ engine, views }, question, tokens, signal);
    },
  });
  return {
    async deleteRows(deletion, signal) {
      refuseInternal(deletion.database);
      const token = await deletes.deleteRows(deletion, signal).catch(answerFenced);
      node.greetPeers();
      return token;
    },
  };
}
