import { Semaphore } from "#base/async.ts";
import type { StatementAnswer } from "../answer.ts";
import type { ShowStatement } from "../ast.ts";
import type { OtherStatement } from "../influxql.ts";
import type { MetaContext, MetaOptions } from "./context.ts";
import { changeContinuousQueries, showContinuousQueries } from "./continuous-queries.ts";
import { cardinalityLists } from "./data/cardinality.ts";
import { fieldKeyLists, tagKeyLists } from "./data/keys.ts";
import { measurementLists } from "./data/measurements.ts";
import { seriesLists } from "./data/series.ts";
import { tagValueLists } from "./data/values.ts";
import { changeDatabases, showDatabases, showPolicies } from "./databases.ts";
import { deleteRows } from "./deleting.ts";
import { answerOf, NO_ROWS } from "./rows.ts";
import { killQuery, showFigures, showQueries } from "./server.ts";
import { shardLists } from "./shards.ts";
import { changeUsers, showGrants, showUsers } from "./users.ts";

/** Each takes one of the threads that the store's files need as well. */
const HASHES_AT_ONCE_MAX = 1;

/** What asks for the catalog and for what is in the data, and what changes the one and deletes the other. */
export class MetaStatements {
  readonly #options: MetaOptions;

  constructor(options: Omit<MetaOptions, "hashing">) {
    this.#options = { ...options, hashing: new Semaphore(HASHES_AT_ONCE_MAX) };
  }

  /**
   * Resolves when it is done, or can be shown. Views are taken and released within the answer's rows. Rejects, or its rows do, with the
   * error of the statement: its message is that of InfluxDB 1, where that has one.
   */
  async execute(statement: OtherStatement, context: MetaContext): Promise<StatementAnswer> {
    const options = this.#options;
    switch (statement.kind) {
      case "show":
        return this.#show(statement, context);
      case "create_database":
      case "drop_database":
      case "create_retention_policy":
      case "alter_retention_policy":
      case "drop_retention_policy":
      case "create_subscription":
      case "drop_subscription":
        return changeDatabases(statement, options);
      case "create_user":
      case "drop_user":
      case "set_password":
      case "grant":
      case "revoke":
        return changeUsers(statement, options, context);
      case "create_continuous_query":
      case "drop_continuous_query":
        return changeContinuousQueries(statement, options);
      case "delete":
      case "drop_series":
      case "drop_measurement":
      case "drop_shard":
        return deleteRows(statement, options, context);
      case "kill_query":
        return killQuery(statement, options);
    }
  }

  async #show(statement: ShowStatement, context: MetaContext): Promise<StatementAnswer> {
    const options = this.#options;
    switch (statement.what) {
      case "databases":
        return showDatabases(options, context);
      case "retention_policies":
        return showPolicies(statement.database, options, context);
      case "users":
        return showUsers(options, context);
      case "grants":
        return showGrants(statement.user, options, context);
      case "continuous_queries":
        return showContinuousQueries(options, context);
      case "subscriptions":
        // Rows are not sent on, so there are none.
        return NO_ROWS;
      case "queries":
        return showQueries(options);
      case "stats":
      case "diagnostics":
        return showFigures(statement, options, context);
      case "shards":
      case "shard_groups":
        return answerOf(shardLists(statement.what, options, context));
      default:
        return this.#showData(statement, context);
    }
  }

  #showData(statement: DataStatement, context: MetaContext): StatementAnswer {
    const options = this.#options;
    switch (statement.what) {
      case "measurements":
        return answerOf(measurementLists(statement, options, context));
      case "tag_keys":
        return answerOf(tagKeyLists(statement, options, context));
      case "field_keys":
        return answerOf(fieldKeyLists(statement, options, context));
      case "tag_values":
        return answerOf(tagValueLists(statement, options, context));
      case "series":
        return answerOf(seriesLists(statement, options, context));
      case "field_key_cardinality":
      case "measurement_cardinality":
      case "series_cardinality":
      case "tag_key_cardinality":
      case "tag_values_cardinality":
        return answerOf(cardinalityLists(statement, options, context));
    }
  }
}

type DataStatement = Extract<
  ShowStatement,
  {
    what:
      | "measurements"
      | "tag_keys"
      | "field_keys"
      | "tag_values"
      | "series"
      | "field_key_cardinality"
      | "measurement_cardinality"
      | "series_cardinality"
      | "tag_key_cardinality"
      | "tag_values_cardinality";
  }
>;
