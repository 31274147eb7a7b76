import { PATTERN_VALUES_MAX, RowDeletes } from "#lifecycle/deletes/row-deletes.ts";
import type { RowDeleter } from "#model/row-delete.ts";
import type { ObjectLogPorts } from "#objectlog/object-log.ts";
import { findTagValues } from "#query/tag-values.ts";
import { answerFenced, refuseInternal } from "./members/refusals.ts";
import type { Node } from "./node.ts";

/** Deletes rows in the name of `node`, and tells the others that there is something new in the catalog. */
export function rowDeleter(node: Node, ports: ObjectLogPorts): RowDeleter {
  const { catalog, engine, manifest, views } = node;
  const deletes = new RowDeletes({
    catalog,
    manifest,
    ports,
    logs: () => node.logs(),
    findValues(pattern, tokens, signal) {
      node.requireMode("query");
      const question = { ...pattern, countMax: PATTERN_VALUES_MAX + 1 };
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
