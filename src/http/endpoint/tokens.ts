import type { AdminPrincipal, Principal } from "#access/principal.ts";
import type { AdminTokenRequest, IssuedToken } from "#access/tokens.ts";
import { assert, DbError } from "#base/errors.ts";
import type { Exchange } from "../exchange/exchange.ts";
import { jsonParameters, Parameters } from "../exchange/parameters.ts";
import { emptyReply, jsonReply, type Reply } from "../exchange/reply.ts";

const NS_PER_SECOND = 1_000_000_000n;
const NS_PER_MS = 1_000_000n;
/** A hundred years: what is beyond 2262 is no timestamp. */
const EXPIRY_SECONDS_MAX = 100n * 365n * 86_400n;

/** POST /api/v3/configure/token/admin: the first token of the cluster, for whoever asks first. */
export async function createOperatorToken(exchange: Exchange): Promise<Reply> {
  const { principal, services } = exchange;
  refuseWithoutAuth(principal);
  refusePage(exchange);
  return issuedReply(await services.createOperatorToken());
}

/** POST /api/v3/configure/token/admin/regenerate. */
export async function replaceOperatorToken({ principal, services }: Exchange): Promise<Reply> {
  return issuedReply(await services.replaceOperatorToken(adminOf(principal)));
}

/** POST /api/v3/configure/token/admin/regenerate, at the address for those who have lost the operator's token. */
export async function recoverOperatorToken(exchange: Exchange): Promise<Reply> {
  refusePage(exchange);
  return issuedReply(await exchange.services.recoverOperatorToken());
}

/** POST /api/v3/configure/token/named_admin. */
export async function createAdminToken(exchange: Exchange): Promise<Reply> {
  const by = adminOf(exchange.principal);
  const parameters = await jsonParameters(exchange);
  const name = parameters.requiredText("token_name");
  const expiresAtNs = expiryOf(parameters, exchange.clock.nowNs());
  const request: AdminTokenRequest = { name, expiresAtNs };
  return issuedReply(await exchange.services.createAdminToken(request, by));
}

/** POST /api/v3/enterprise/configure/token: tokens that may do some things only. */
export function createResourceToken({ principal }: Exchange): Reply {
  refuseWithoutAuth(principal);
  throw new DbError(
    "unsupported",
    "token_permissions",
    "tokens with permissions are not supported in this version: make one with all of them (/api/v3/configure/token/named_admin)",
  );
}

/** DELETE /api/v3/configure/token. */
export async function deleteToken({ principal, query, services }: Exchange): Promise<Reply> {
  const by = adminOf(principal);
  const name = Parameters.fromQuery(query ?? "").requiredText("token_name");
  await services.deleteToken(name, by);
  return emptyReply(200);
}

function adminOf(principal: Principal): AdminPrincipal {
  refuseWithoutAuth(principal);
  assert(principal.kind === "admin", "the path is open to bearers of admin tokens alone");
  return principal;
}

/** Where nobody is asked for a token, none is made: it would look like protection. */
function refuseWithoutAuth(principal: Principal): void {
  if (principal.kind !== "everybody") return;
  throw new DbError("unsupported", "tokens_disabled", "endpoint disabled, started without auth");
}

/** What needs no token, a page of anybody's in a browser near this node can send, too, and read the answer. */
function refusePage({ headers }: Exchange): void {
  if (headers.origin === undefined) return;
  throw new DbError("denied", "forbidden", "a page in a browser may not get the operator's token");
}

function expiryOf(parameters: Parameters, nowNs: bigint): bigint | undefined {
  const seconds = parameters.value("expiry_secs");
  if (seconds === undefined) return undefined;
  if (typeof seconds === "bigint" && seconds > 0n && seconds <= EXPIRY_SECONDS_MAX) {
    return nowNs + seconds * NS_PER_SECOND;
  }
  throw parameters.wrong(`expiry_secs is not a whole number from 1 to ${EXPIRY_SECONDS_MAX}`);
}

/** The one answer that has the text of a token. */
function issuedReply({ record, text }: IssuedToken): Reply {
  const { id, name, hash, expiresAtNs } = record;
  const value = {
    id,
    name,
    token: text,
    hash,
    created_at: timeText(record.createdAtNs),
    expiry: expiresAtNs === undefined ? null : timeText(expiresAtNs),
  };
  return jsonReply(201, value, { "cache-control": "no-store" });
}

function timeText(timeNs: bigint): string {
  return new Date(Number(timeNs / NS_PER_MS)).toISOString();
}
