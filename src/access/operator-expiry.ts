import type { Catalog } from "#catalog/catalog.ts";
import { OPERATOR_TOKEN_ID } from "#catalog/tokens.ts";
import type { Clock } from "#ports/clock.ts";
import type { Log } from "#ports/log.ts";

const DAY_MS = 86_400_000;
const DAY_NS = 86_400_000_000_000n;
/** So many days before its end it is spoken of every day. */
const NEAR_DAYS = 30;

/**
 * What to say of an operator's token that ends at `expiresAtNs`: one that a cluster was given (`--admin-token-file`). When it has ended
 * there may be nobody left who can make another.
 */
export function operatorExpiryWarning(name: string, expiresAtNs: bigint, nowNs: bigint): string {
  const date = new Date(Number(expiresAtNs / 1_000_000n)).toISOString();
  if (expiresAtNs <= nowNs) {
    return `the operator's token '${name}' expired on ${date}: get one that does not expire through '--admin-token-recovery-http-bind' of a node`;
  }
  const days = daysLeft(expiresAtNs, nowNs);
  return `the operator's token '${name}' expires in ${days} ${days === 1 ? "day" : "days"}, on ${date}: replace it before by one that does not, with 'create token --admin --regenerate'`;
}

/** The same of the operator's token of `catalog`; undefined where there is none, or it never ends. */
export function findExpiryWarning({ state }: Catalog, nowNs: bigint): string | undefined {
  const token = state.tokens.get(OPERATOR_TOKEN_ID);
  if (token?.expiresAtNs === undefined) return undefined;
  return operatorExpiryWarning(token.name, token.expiresAtNs, nowNs);
}

/** Says so in the log every day while the end is near or has come, until `signal` is aborted. */
export async function watchOperatorExpiry(
  { catalog, clock, log }: { catalog: Catalog; clock: Clock; log: Log },
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(DAY_MS, signal).catch(() => undefined);
    const nowNs = clock.nowNs();
    const { expiresAtNs } = catalog.state.tokens.get(OPERATOR_TOKEN_ID) ?? {};
    const isNear = expiresAtNs !== undefined && daysLeft(expiresAtNs, nowNs) <= NEAR_DAYS;
    const warning = isNear && !signal.aborted && findExpiryWarning(catalog, nowNs);
    if (warning) log.warn(warning);
  }
}

/** Begun ones count. */
function daysLeft(expiresAtNs: bigint, nowNs: bigint): number {
  return Number((expiresAtNs - nowNs + DAY_NS - 1n) / DAY_NS);
}
