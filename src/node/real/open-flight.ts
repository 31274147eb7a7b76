import { flightMethods } from "#flight/flight.ts";
import { GrpcServer, type ObservedCall } from "#flight/grpc/server.ts";
import type { FlightServices } from "#flight/services.ts";
import { HTTP_LIMITS, type RequestObserver } from "#http/options.ts";
import { UNMATCHED_ROUTE } from "#http/router.ts";
import type { Log } from "#ports/log.ts";
import type { NodeConfig } from "../config.ts";
import { realClock as clock } from "./machine.ts";

/** Arrow Flight on the node's port. */
export function openFlight(
  config: NodeConfig,
  services: FlightServices,
  { log, observeRequest }: { readonly log: Log; readonly observeRequest: RequestObserver },
): GrpcServer {
  return new GrpcServer({
    methods: flightMethods({ services, access: config, clock, timeoutMs: config.queryTimeoutMs }),
    limits: { ...HTTP_LIMITS, requestSizeMax: config.httpRequestSizeMax },
    clock,
    log,
    observe: (call) => observeRequest(observed(call)),
  });
}

/** A call among the requests that a node counts. */
function observed({
  durationMs,
  outcome,
  path,
  sizeBytes,
}: ObservedCall): Parameters<RequestObserver>[0] {
  return {
    method: "POST",
    route: path ?? UNMATCHED_ROUTE,
    status: 200,
    outcome,
    durationMs,
    answerSizeBytes: sizeBytes,
  };
}
