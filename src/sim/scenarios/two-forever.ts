import type { PlantedBug } from "../planted-bugs.ts";
import { withMounted } from "../rules/mounting.ts";
import type { runTwoInOffice, TwoInOfficeOptions, TwoInOfficeResult } from "./two-in-office.ts";

/** What makes a process go on in its term for ever, whatever it reads and however often it is refused. */
const FOREVER_IN_OFFICE: PlantedBug = {
  file: "compaction/office/office.ts",
  edits: [
    { find: "while (isSameTerm(manifest.state.office, office))", replace: "while (true)" },
    {
      find: 'return isKind(error, "conflict") && error.code === "node_fenced";',
      replace: "return false;",
    },
  ],
};

/** As `runTwoInOffice`, with compactors that never leave an office that they have had. */
export function runTwoForever(options: TwoInOfficeOptions): Promise<TwoInOfficeResult> {
  const mounted = {
    bug: FOREVER_IN_OFFICE,
    name: "forever_in_office",
    specifier: "../scenarios/two-in-office.ts",
  };
  return withMounted(mounted, (module) => {
    const scenario = module as { runTwoInOffice: typeof runTwoInOffice };
    return scenario.runTwoInOffice(options);
  });
}
