import type { Writer } from "#objectlog/shared-log.ts";

/** A piece of the work of the compactor in office. */
export interface Duty {
  /**
   * Does what is due, in the name of the term `office`, and answers whether it got something done: then it is asked again at once.
   * One call at a time. Rejects with `conflict` / `node_fenced` when the term is over.
   */
  step(office: Writer, signal: AbortSignal): Promise<boolean>;
}
