import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import type { DbError } from "#base/errors.ts";
import type { BodyClaim } from "./exchange/body-budget.ts";

/** What answers calls of gRPC, which come as requests of HTTP/2. flight/ fulfils it. */
export interface GrpcService {
  /** `claim`: what its messages take of the memory for bodies. */
  answer(request: Http2ServerRequest, response: Http2ServerResponse, claim: BodyClaim): Running;
}

/** A request that is being answered. */
export interface Running {
  /** Asks the work behind the answer to stop. */
  abort(reason: DbError): void;
}

const CONTENT_TYPE = /^application\/grpc(?:[+;]|$)/i;
/** Codes of gRPC. */
const UNIMPLEMENTED = "12";
const UNAVAILABLE = "14";

/** Whether a request is a call of gRPC. */
export function isGrpc(request: Http2ServerRequest): boolean {
  return CONTENT_TYPE.test(request.headers["content-type"] ?? "");
}

/** Answers a call where nothing does: `reason` says why. */
export function refuseGrpc(response: Http2ServerResponse, reason: DbError): void {
  response.on("error", () => undefined);
  response.setHeader("content-type", "application/grpc");
  response.setHeader("grpc-status", reason.kind === "unavailable" ? UNAVAILABLE : UNIMPLEMENTED);
  response.setHeader("grpc-message", reason.message);
  response.end();
}
