/** Bodies of line protocol as collectors of machine metrics write them: ten tags, ten fields, the same hosts every ten seconds. */
import { utf8 } from "#base/bytes.ts";
import { below, type Random, seededRandom } from "#ports/random.ts";

const FIELDS = "user system idle nice iowait irq softirq steal guest guest_nice".split(" ");
const HOST_COUNT = 100;
const START_NS = 1_451_606_400_000_000_000n;
const STEP_NS = 10_000_000_000n;

/** What is written, and how. */
export interface BodyKind {
  /** A field's next value; `walk` is its last whole number, from 0 to 100. */
  readonly value: (walk: number, random: Random, index: number) => string;
  /** Lines of a body in random order. */
  readonly shuffled?: boolean;
  /** No two lines have the same host. */
  readonly newHosts?: boolean;
}

/** What the stage is measured with. */
export const BODY_KINDS = {
  steady: { value: String },
  shuffled: { value: String, shuffled: true },
  decimals: { value: (walk, random) => (walk + random.next()).toFixed(4) },
  digits: { value: (walk, random) => String(walk * 0.37 + random.next()) },
  series: { value: String, newHosts: true },
  strings: {
    value: (walk, random, index) => {
      if (index === 8) return `"state ${walk}"`;
      return index === 9 ? `"request ${below(random, 1e9)} said \\"${walk}\\""` : String(walk);
    },
  },
} as const satisfies Readonly<Record<string, BodyKind>>;

/** `bodyCount` bodies of `rowCount` lines each: the same ones every time. */
export function bodiesOf(kind: BodyKind, bodyCount: number, rowCount: number): Uint8Array[] {
  const random = seededRandom(1);
  const walks = Array.from({ length: HOST_COUNT * FIELDS.length }, () => below(random, 101));
  let row = 0;
  const line = () => {
    const place = row % HOST_COUNT;
    const host = kind.newHosts === true ? row : place;
    const fields = FIELDS.map((name, index) => {
      const walk = (walks[place * FIELDS.length + index] as number) + below(random, 3) - 1;
      const next = Math.min(100, Math.max(0, walk));
      walks[place * FIELDS.length + index] = next;
      return `usage_${name}=${kind.value(next, random, index)}`;
    });
    const time = START_NS + BigInt(Math.floor(row / HOST_COUNT)) * STEP_NS;
    row += 1;
    return `${tagsOf(host)} ${fields.join(",")} ${time}`;
  };
  return Array.from({ length: bodyCount }, () => {
    const lines = Array.from({ length: rowCount }, line);
    if (kind.shuffled === true) shuffle(lines, random);
    return utf8(`${lines.join("\n")}\n`);
  });
}

function shuffle(lines: string[], random: Random): void {
  for (let last = lines.length - 1; last > 0; last -= 1) {
    const other = below(random, last + 1);
    [lines[last], lines[other]] = [lines[other] as string, lines[last] as string];
  }
}

function tagsOf(host: number): string {
  const region = `region-${host % 7}`;
  return (
    `cpu,hostname=host_${host},region=${region},datacenter=${region}${"abc"[host % 3]},rack=${host % 89},os=Ubuntu16.04LTS,` +
    `arch=${host % 2 === 0 ? "x64" : "x86"},team=${["NYC", "LON", "CHI"][host % 3]},service=${host % 19},service_version=${host % 2},` +
    `service_environment=${host % 5 === 0 ? "production" : "test"}`
  );
}
