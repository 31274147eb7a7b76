/** JSON values on a TCP connection, one a line. */
import type { Socket } from "node:net";
import { createInterface } from "node:readline";

export function writeLine(socket: Socket, value: unknown): void {
  if (socket.writable) socket.write(`${JSON.stringify(value)}\n`);
}

/** Calls `seen` with each line until the connection ends; its errors are the socket's. */
export function readLines(socket: Socket, seen: (value: unknown) => void): void {
  createInterface({ input: socket, crlfDelay: Number.POSITIVE_INFINITY })
    .on("line", (line) => seen(JSON.parse(line)))
    .on("error", () => undefined);
}
