/** A regular expression as steps: the automaton whose states are places among them. */
import type { Look, RegexNode, Repeat } from "./parse.ts";
import type { CodeSet } from "./sets.ts";

export type Step =
  /** Goes on behind this step with a character of the set. */
  | { readonly kind: "set"; readonly set: CodeSet }
  | { readonly kind: "look"; readonly look: Look }
  /** Goes on at all of these. */
  | { readonly kind: "go"; readonly targets: number[] }
  | { readonly kind: "found" };

const STEPS_MAX = 10_000;

/** Undefined where they are too many. */
export function programOf(node: RegexNode): readonly Step[] | undefined {
  const steps: Step[] = [];
  if (!append(steps, node)) return undefined;
  steps.push({ kind: "found" });
  return steps;
}

/** Whether there was room for them. */
function append(steps: Step[], node: RegexNode): boolean {
  if (steps.length >= STEPS_MAX) return false;
  switch (node.kind) {
    case "set":
    case "look":
      steps.push(node);
      return true;
    case "sequence":
      return node.parts.every((part) => append(steps, part));
    case "either":
      return appendEither(steps, node.parts);
    case "repeat":
      return appendRepeat(steps, node);
  }
}

function appendEither(steps: Step[], parts: readonly RegexNode[]): boolean {
  const starts: number[] = [];
  const ends: number[][] = [];
  steps.push({ kind: "go", targets: starts });
  for (const part of parts) {
    starts.push(steps.length);
    if (!append(steps, part)) return false;
    const targets: number[] = [];
    ends.push(targets);
    steps.push({ kind: "go", targets });
  }
  for (const targets of ends) targets.push(steps.length);
  return true;
}

function appendRepeat(steps: Step[], { part, min, max }: Repeat): boolean {
  for (let count = 0; count < min; count += 1) {
    const start = steps.length;
    if (!append(steps, part)) return false;
    // Nothing, any number of times.
    if (steps.length === start) return true;
  }
  if (max === undefined) {
    const start = steps.length;
    const targets = [start + 1];
    steps.push({ kind: "go", targets });
    if (!append(steps, part)) return false;
    steps.push({ kind: "go", targets: [start] });
    targets.push(steps.length);
    return true;
  }
  const skips: number[][] = [];
  for (let count = min; count < max; count += 1) {
    const targets = [steps.length + 1];
    skips.push(targets);
    steps.push({ kind: "go", targets });
    if (!append(steps, part)) return false;
  }
  for (const targets of skips) targets.push(steps.length);
  return true;
}
