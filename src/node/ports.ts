import type { DataFile } from "#model/data-file.ts";
import type { Clock } from "#ports/clock.ts";
import type { Engine, EngineRefill } from "#ports/engine.ts";
import type { Log } from "#ports/log.ts";
import type { ObjectStore } from "#ports/object-store.ts";
import type { Random } from "#ports/random.ts";
import type { Transport } from "#ports/transport.ts";
import type { Stage } from "#staging/stage.ts";

/** The outside of one node. Real: main.ts. Simulated: sim/. */
export interface NodePorts {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly transport: Transport;
  readonly stage: Stage;
  readonly openEngine: (refill: EngineRefill) => Promise<Engine>;
  /** Told of each file this node writes before others can know of it. */
  readonly onFile?: (file: DataFile, bytes: Uint8Array) => Promise<void>;
  /** A UUID that nobody else makes and nobody guesses. */
  readonly makeUuid: () => string;
  readonly coreCount: number;
  readonly version: string;
}
