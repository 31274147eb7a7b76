import { type Signal, untilAborted } from "#base/async.ts";
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
  /** How long a read waits for the writes whose tokens it brings, all together. */
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
    this.#refuseTrouble();
    await this.#waitFor(tokens, signal);
    for (let step = 0; step < STEPS_MAX; step++) {
      const { catalog, manifest, logs } = this.#options;
      // Every record names what it may be combined with: what lags is read on before anything is shown.
      this.#refuseTrouble();
      const needs = neededBy([...logs()], manifest.state.needs, catalog.state.needs);
      if (catalog.state.position < needs.catalog)
        await untilAborted(catalog.reach(needs.catalog), signal);
      else if (manifest.state.position < needs.manifest)
        await untilAborted(manifest.reach(needs.manifest), signal);
      else return this.#take();
    }
    throw new DbError(
      "unavailable",
      "view_unsettled",
      "the logs move faster than they can be read",
    );
  }

  /** Reads on in the shared logs, where it stands what has replaced a file that is gone. */
  async refresh(signal: AbortSignal): Promise<void> {
    const { catalog, manifest } = this.#options;
    await untilAborted(Promise.all([catalog.refresh(), manifest.refresh()]), signal);
  }

  #refuseTrouble(): void {
    for (const { trouble } of this.#options.logs()) if (trouble !== undefined) throw trouble;
  }

  #take(): View {
    const { catalog, manifest, logs } = this.#options;
    const sources = [...logs()];
    return new View({ catalog: catalog.state, manifest: manifest.state }, sources, () => {
      // An engine that fails to drop rows keeps some that nobody asks for, until it is started again.
      for (const { buffer } of sources) buffer.dropUnseen().catch(() => undefined);
    });
  }

  async #waitFor(tokens: readonly WriteToken[], signal: AbortSignal): Promise<void> {
    const { catalog, clock, logsChanged, onWanted, tokenWaitMsMax } = this.#options;
    for (const { catalog: version } of tokens)
      if (catalog.state.position < version) await untilAborted(catalog.reach(version), signal);
    const missing = () => tokens.filter((token) => !this.#holds(token));
    if (missing().length === 0) return;
    const deadline = new AbortController();
    const stop = AbortSignal.any([signal, deadline.signal]);
    const late = clock.sleep(tokenWaitMsMax, stop).then(
      () => deadline.abort(tokenTimeout(missing()[0], tokenWaitMsMax)),
      () => undefined,
    );
    try {
      for (let wanted = missing(); wanted.length > 0; wanted = missing()) {
        wanted.forEach(onWanted);
        await logsChanged.wait(stop);
      }
    } finally {
      deadline.abort();
      await late;
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

function tokenTimeout(token: WriteToken | undefined, waitedMs: number): DbError {
  return new DbError(
    "unavailable",
    "token_timeout",
    `this node does not have entry ${token?.position} of node number ${token?.node} after ${waitedMs} ms: ask again`,
    { detail: { node: token?.node, position: token?.position, waitedMs } },
  );
}
