import type { Access } from "#access/access.ts";
import type { Tokens } from "#access/tokens.ts";
import { Mutex } from "#base/async.ts";
import { DbError } from "#base/errors.ts";
import {
  addColumns,
  createTable,
  dropTable,
  dropTables,
  setTableRetention,
} from "#catalog/tables.ts";
import type { HardDelete, HttpServices, NodeIdentity } from "#http/services.ts";
import { INTERNAL_DATABASE } from "#model/database-name.ts";
import type { ObjectLogPorts } from "#objectlog/object-log.ts";
import type { Clock } from "#ports/clock.ts";
import type { NodeConfig } from "./config.ts";
import { answerFenced } from "./members/refusals.ts";
import type { Metrics } from "./metrics.ts";
import type { Node } from "./node.ts";
import { dropTimes } from "./parts/drop-times.ts";
import { rowDeleter } from "./parts/row-deleter.ts";
import { spaced } from "./spaced.ts";

/** Between two looks at the catalog for greetings: who has heard one can send it again for ever, and each look is a request to the store. */
const GREETED_LOOK_MS = 100;

export interface ServicesOptions {
  readonly config: NodeConfig;
  readonly access: Access;
  readonly tokens: Tokens;
  readonly metrics: Metrics;
  readonly identity: () => NodeIdentity;
  readonly clock: Clock;
  /** What it takes to read logs in the store. */
  readonly logPorts: ObjectLogPorts;
}

/** What the HTTP surface calls, on a running node. */
export function nodeServices(node: Node, options: ServicesOptions): HttpServices {
  const { access, clock, identity, metrics } = options;
  const deleter = rowDeleter(node, options.logPorts);
  const look = spaced(() => node.refresh(), GREETED_LOOK_MS, clock);
  return {
    authenticate: (credential, signal) => access.authenticate(credential, signal),
    ...tokenServices(node, options.tokens),
    write: (request, signal) => node.write(request, signal),
    query: (request, signal) => node.answers.query(request, signal),
    influxQl: (request, signal) => node.answers.influxQl(request, signal),
    deleteRows: (deletion, signal) => deleter.deleteRows(deletion, signal),
    ...schemaServices(node, options),
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
      limit: node.answers.queries.concurrentMax,
      limitMax: options.config.concurrentQueriesMax,
    }),
    limitQueryConcurrency: (limit) => node.answers.queries.limitConcurrency(limit),
    ready: () => node.ready(),
    stopNode: (nodeId) => node.stopNode(nodeId),
    removeNode: (nodeId) => node.removeNode(nodeId),
    requireProcessing: () => node.requireMode("process"),
    async refresh(from) {
      await look();
      node.hearGreeting(from);
    },
    hearPush: (push) => node.hearPush(push),
    answerStanding: (ask) => node.answerStanding(ask),
    answerOffice: (ask) => node.answerOffice(ask),
    identify: identity,
    metrics: () => metrics.text(),
  };
}

type SchemaServices = Pick<
  HttpServices,
  | "createDatabase"
  | "updateDatabase"
  | "deleteDatabase"
  | "createTable"
  | "extendTable"
  | "updateTable"
  | "deleteTable"
>;

function schemaServices(node: Node, { clock, config }: ServicesOptions): SchemaServices {
  const times = (hardDelete: HardDelete) => dropTimes(hardDelete, clock.nowNs(), config);
  return {
    createDatabase: ({ name, retentionNs, schemaMode }) =>
      node.changeSchema(name, (catalog) =>
        catalog.createDatabase(name, retentionNs, config, schemaMode),
      ),
    updateDatabase: ({ name, retentionNs }) =>
      node.changeRetention(name, (catalog) => catalog.setRetention(name, retentionNs)),
    deleteDatabase: ({ name, hardDelete, scope }) =>
      node.changeSchema(name, (catalog) =>
        scope === "database"
          ? catalog.dropDatabase(name, times(hardDelete))
          : catalog.change((state) => dropTables(state, name, scope, times(hardDelete))),
      ),
    createTable: (table) =>
      node.changeSchema(table.database, (catalog) =>
        catalog.change((state) => createTable(state, table, table, config)),
      ),
    extendTable: (table) =>
      node.changeSchema(table.database, (catalog) =>
        catalog.change((state) => addColumns(state, table, table.columns, config)),
      ),
    updateTable: (table) =>
      node.changeRetention(table.database, (catalog) =>
        catalog.change((state) => setTableRetention(state, table, table.retentionNs)),
      ),
    deleteTable: ({ hardDelete, scope, ...table }) =>
      node.changeSchema(table.database, (catalog) =>
        catalog.change((state) => dropTable(state, table, scope, times(hardDelete))),
      ),
  };
}

function tokenServices(
  node: Node,
  tokens: Tokens,
): Pick<
  HttpServices,
  | "createOperatorToken"
  | "replaceOperatorToken"
  | "recoverOperatorToken"
  | "createAdminToken"
  | "deleteToken"
> {
  // The others hear of a change at once, not when they next look: above all of a token that ended.
  const changed = async <T>(work: Promise<T>): Promise<T> => {
    const result = await work.catch(answerFenced);
    node.greetPeers();
    return result;
  };
  return {
    createOperatorToken: () => changed(tokens.createOperator()),
    replaceOperatorToken: (by) => changed(tokens.replaceOperator(by)),
    recoverOperatorToken: () => changed(tokens.recoverOperator()),
    createAdminToken: (request, by) => changed(tokens.createAdmin(request, by)),
    deleteToken: (name, by) => changed(tokens.delete(name, by)),
  };
}

/** `services` for the address of those who have lost the operator's token: it is replaced once, then `onUsed` is called. */
export function recoveryServices(services: HttpServices, onUsed: () => void): HttpServices {
  const turn = new Mutex();
  let isUsed = false;
  return {
    ...services,
    recoverOperatorToken: () =>
      turn.run(async () => {
        // Who came at the same time would make the first one's token void.
        if (isUsed) throw recoveryUsed();
        const issued = await services.recoverOperatorToken();
        isUsed = true;
        onUsed();
        return issued;
      }),
  };
}

function recoveryUsed(): DbError {
  return new DbError(
    "denied",
    "forbidden",
    "the operator's token was replaced here already: restart the node to do it again",
  );
}
