import type { Epoch, NodeNumber } from "#model/ids.ts";

/** One start of a node, by which a call says whom it means: another process may listen at its address by now. */
export interface Callee {
  readonly node: NodeNumber;
  readonly epoch: Epoch;
}

/** A request to another node. `path` begins with a slash; `body` is sent as it is. */
export interface TransportRequest {
  readonly method: "GET" | "POST";
  readonly path: string;
  /** Who is meant, and alone is believed. Without it nobody shows who he is: for what anybody may ask. */
  readonly to?: Callee;
  readonly body?: Uint8Array;
  /** Shows the other node who calls. */
  readonly authorization?: string;
  readonly timeoutMs: number;
}

export interface TransportAnswer {
  readonly status: number;
  readonly body: Uint8Array;
  /** Shows the caller who answers. */
  readonly proof?: string;
}

/**
 * Calls between nodes. They are a courtesy and a short cut: nothing that must be safe rests on an answer.
 * Real: node/real/http-transport.ts. Simulated: sim/.
 */
export interface Transport {
  /**
   * Sends `request` to `address` (`host:port`, `https://` before it for TLS) once.
   * Rejects with DbError `unavailable` / `peer_unreachable` when no answer came in time.
   */
  send(address: string, request: TransportRequest): Promise<TransportAnswer>;
}
