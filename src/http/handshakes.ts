import type { Socket } from "node:net";

/**
 * Connections of a server for TLS that have not agreed on anything yet. Where there are more than may be, the one that came first goes:
 * who connects and says nothing keeps nobody out.
 */
export class Handshakes {
  readonly #countMax: number;
  /** By where they come from, in the order in which they came. */
  readonly #open = new Map<string, Socket>();

  constructor(countMax: number) {
    this.#countMax = countMax;
  }

  /** A connection has come. */
  begin(socket: Socket): void {
    const peer = peerOf(socket);
    this.#open.set(peer, socket);
    socket.once("close", () => {
      if (this.#open.get(peer) === socket) this.#open.delete(peer);
    });
    const [[, first] = []] = this.#open;
    if (this.#open.size > this.#countMax) first?.destroy();
  }

  /** Cuts off all that are there. */
  destroy(): void {
    for (const socket of this.#open.values()) socket.destroy();
  }

  /** It speaks TLS: `socket` is another one over it, from the same peer. */
  end(socket: Socket): void {
    this.#open.delete(peerOf(socket));
  }
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
