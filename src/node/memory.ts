/** How a node's memory is divided (docs/decisions/0010-memory.md). Sizes in bytes. */
import type { NodeConfig } from "./config.ts";

/** Bodies of writes, as they came, that are not durable yet. */
export const WRITES_SIZE_MAX = 64 * 2 ** 20;

type Sizes = Pick<NodeConfig, "bufferSizeMax" | "engineMemorySizeMax">;

/** What this node's rows that are in no file may take, as the engine would have them. Snapshots begin at half of it. */
export function ownRowsSizeMax({ bufferSizeMax }: Pick<Sizes, "bufferSizeMax">): number {
  return 2 * bufferSizeMax;
}

/** What the engine's tables and queries may take: queries have theirs beside the rows. */
export function engineSizeMax(sizes: Sizes): number {
  return sizes.engineMemorySizeMax + ownRowsSizeMax(sizes);
}

/** One share of the memory. */
export interface MemoryPart {
  readonly name: string;
  readonly sizeMax: number;
  /** What it takes now, about. */
  readonly sizeBytes: () => number;
}

/** What reads the sizes of the parts that a node keeps; the first two are of nodes that take writes. */
export interface MemoryReaders {
  readonly writes?: () => number;
  readonly ownRows?: () => number;
  readonly peerRows: () => number;
  readonly engine: () => number;
}

/** The parts that a node keeps, each with what it may take. */
export function memoryParts(
  config: Sizes & Pick<NodeConfig, "peerRowsSizeMax">,
  readers: MemoryReaders,
): readonly MemoryPart[] {
  const { writes = () => 0, ownRows = () => 0, peerRows, engine } = readers;
  return [
    { name: "writes", sizeMax: WRITES_SIZE_MAX, sizeBytes: writes },
    { name: "own_rows", sizeMax: ownRowsSizeMax(config), sizeBytes: ownRows },
    { name: "peer_rows", sizeMax: config.peerRowsSizeMax, sizeBytes: peerRows },
    { name: "engine", sizeMax: engineSizeMax(config), sizeBytes: engine },
  ];
}
