import type { Signal } from "#base/async.ts";
import { DbError } from "#base/errors.ts";
import type { Catalog } from "#catalog/catalog.ts";
import type { Manifest } from "#manifest/manifest.ts";
import type { WriteToken } from "#model/write-token.ts";
import { NEEDS_NOTHING, type Needs, needsOfBoth } from "#objectlog/record.ts";
import type { Clock } from "#ports/clock.ts";
import type { LogSource } from "./log-source.ts";
import { View } from "./view.ts";

export interface ViewsOptions {
  readonly catalog: Catalog;
  readonly manifest: Manifest;
  /** The node logs that this process reads now. */
  readonly logs: () => Iterable<LogSource>;
  /** Notified whenever one of them has moved. */
  readonly logsChanged: Signal;
  /** Told of a position that somebody waits for. */
  readonly onWanted: (token: WriteToken) => void;
  readonly clock: Clock;
  /** How long a read waits for the writes whose tokens it brings. */
  readonly tokenWaitMsMax: number;
}

const STEPS_MAX = 100;

/** Takes views of what this process has read. */
export class Views {
  readonly #options: ViewsOptions;

  constructor(options: ViewsOptions) {
    this.#options = options;
  }

  /**
   * The newest view that holds the writes of `tokens`. The caller releases it.
   * Rejects with `unavailable` / `token_timeout` when one of them has not come in time, and with the trouble of a log that cannot
   * be read on: an answer without it would not say that it is not whole.
   */
  async acquire(tokens: readonly WriteToken[], signal: AbortSignal): Promise<View> {
    for (const token of tokens) await this.#waitFor(token, signal);
    for (let step = 0; step < STEPS_MAX; step++) {
      const { catalog, manifest, logs } = this.#options;
      // Every record names what it may be combined with: what lags is read on before anything is shown.
      for (const { trouble } of logs()) if (trouble !== undefined) throw trouble;
      const needs = neededBy([...logs()], manifest.state.needs, catalog.state.needs);
      if (catalog.state.position < needs.catalog) await catalog.reach(needs.catalog);
      else if (manifest.state.position < needs.manifest) await manifest.reach(needs.manifest);
      else return this.#take();
    }
    throw new DbError(
      "unavailable",
      "view_unsettled",
      "the logs move faster than they can be read",
    );
  }

  #take(): View {
    const { catalog, manifest, logs } = this.#options;
    const sources = [...logs()];
    return new View({ catalog: catalog.state, manifest: manifest.state }, sources, () => {
      // An engine that fails to drop rows keeps some that nobody asks for, until it is started again.
      for (const { buffer } of sources) buffer.dropUnseen().catch(() => undefined);
    });
  }

  async #waitFor(token: WriteToken, signal: AbortSignal): Promise<void> {
    const { catalog, clock, logsChanged, onWanted, tokenWaitMsMax } = this.#options;
    if (catalog.state.position < token.catalog) await catalog.reach(token.catalog);
    if (this.#holds(token)) return;
    const deadline = new AbortController();
    const stop = AbortSignal.any([signal, deadline.signal]);
    const timer = clock.sleep(tokenWaitMsMax, stop).then(
      () => deadline.abort(tokenTimeout(token, tokenWaitMsMax)),
      () => undefined,
    );
    try {
      while (!this.#holds(token)) {
        onWanted(token);
        await logsChanged.wait(stop);
      }
    } finally {
      deadline.abort();
      await timer;
    }
  }

  #holds({ node, position }: WriteToken): boolean {
    const { catalog, logs, manifest } = this.#options;
    // A node that was removed left its rows to the manifest before it went.
    if (!catalog.state.nodes.has(node)) return true;
    if ((manifest.state.adopted.get(node)?.position ?? 0) >= position) return true;
    return [...logs()].some((log) => log.node === node && log.state.position >= position);
  }
}

function neededBy(logs: readonly LogSource[], ...shared: readonly Needs[]): Needs {
  return [...logs.map(({ state }) => state.needs), ...shared].reduce(needsOfBoth, NEEDS_NOTHING);
}

function tokenTimeout({ node, position }: WriteToken, waitedMs: number): DbError {
  return new DbError(
    "unavailable",
    "token_timeout",
    `this node does not have entry ${position} of node number ${node} after ${waitedMs} ms: ask again`,
    { detail: { node, position, waitedMs } },
  );
}
