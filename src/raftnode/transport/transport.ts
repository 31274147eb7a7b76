import type { Message, PeerId } from "#raft/message.ts";
import type { Chunks } from "../snapshot/snapshot-folder.ts";

/** What a member of a group hears of its peers. */
export interface TransportEvents {
  /** A message came. Where this returns a promise, no more is read from that peer until it resolves. */
  message(received: Message): Promise<void> | void;
  /**
   * A snapshot comes: its message, and the state beside it. The chunks are read as they arrive, and throw where the connection breaks. Resolves
   * when it is stored, rejects where it is not wanted.
   */
  snapshot(received: Message, chunks: AsyncIterable<Uint8Array>): Promise<void>;
  /** A message to this peer was dropped. */
  unreachable(peer: PeerId): void;
  /** The connection on which this peer sent its messages has ended: it may have died, or makes another. */
  gone(peer: PeerId): void;
}

/**
 * Carries messages between the members of one group. Any may be lost, late or out of order, as far as raft is concerned; none is
 * changed, and none is read that comes from elsewhere. Real: tcp-transport.ts.
 */
export interface RaftTransport {
  /** Begins to listen, and to tell of what comes; rejects with `unavailable` / `raft_address_unusable`. Nothing is sent before. */
  start(events: TransportEvents): Promise<void>;
  /** Where a peer is found, from now on; undefined for nowhere. */
  setPeer(peer: PeerId, address: string | undefined): void;
  /** Sends, or drops and says so with `unreachable`. Never waits. */
  send(sent: Message): void;
  /** Resolves when the peer has stored the snapshot; rejects with `unavailable` / `raft_peer_unreachable` otherwise. */
  sendSnapshot(sent: Message, chunks: Chunks): Promise<void>;
  /** Ends all connections; what is on its way may be lost. */
  [Symbol.asyncDispose](): Promise<void>;
}
