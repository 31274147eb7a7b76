/** Rows of one body: so many times of each host. */
export const HOST_COUNT = 100;
const TIMES_PER_BODY = 50;
export const BODY_ROW_COUNT = HOST_COUNT * TIMES_PER_BODY;

/** Between two rows of one host. */
export const STEP_SEC = 10;
/** What one body covers. */
export const BODY_SEC = TIMES_PER_BODY * STEP_SEC;
/** Body 0 begins here, in seconds since the Unix epoch. Ten digits, whatever the body. */
export const START_SEC = 1_000_000_000;

/** Row `r` of body `b` has field `n` = NUMBER_BASE + b * NUMBER_STEP + r: always so many digits, and no other row has it. */
export const NUMBER_BASE = 10_000_000_000;
export const NUMBER_STEP = 10_000;
const BODY_NUMBER_BASE = NUMBER_BASE / NUMBER_STEP;
const BODY_DIGITS = String(BODY_NUMBER_BASE).length;
const SECOND_DIGITS = String(START_SEC).length;
/** Above it the digits of a body's number, or its times', would be one more. */
export const BODY_COUNT_MAX = 1_000_000;

const REGIONS = ["us-east-1", "us-west-2", "eu-west-1", "eu-central-1", "ap-northeast-1"];
const SYSTEMS = ["Ubuntu16.10", "Ubuntu16.04LTS", "Ubuntu15.10"];
const TEAMS = ["SF", "NYC", "LON", "CHI"];
const STAGES = ["production", "staging", "test"];
const FIELDS = "user system idle nice iowait irq softirq steal guest guest_nice".split(" ");
const ZERO = 48;

/**
 * A body of line protocol that is made once, with ten tags, ten fields and a number in each line, and written over where its numbers
 * and times stand: a new body costs the client a fifth of a millisecond.
 */
export class Body {
  readonly bytes: Uint8Array;
  readonly #numberAt: Uint32Array;
  readonly #secondAt: Uint32Array;

  private constructor(bytes: Uint8Array, numberAt: Uint32Array, secondAt: Uint32Array) {
    this.bytes = bytes;
    this.#numberAt = numberAt;
    this.#secondAt = secondAt;
  }

  /** One with values of its own. */
  static make(): Body {
    const hosts = Array.from({ length: HOST_COUNT }, (_, host) => makeHost(host));
    const numberAt = new Uint32Array(BODY_ROW_COUNT);
    const secondAt = new Uint32Array(BODY_ROW_COUNT);
    let text = "";
    for (let row = 0; row < BODY_ROW_COUNT; row++) {
      const host = hosts[row % HOST_COUNT];
      if (host === undefined) continue;
      text += `${host.tags} ${host.nextFields()},n=`;
      numberAt[row] = text.length;
      text += `${BODY_NUMBER_BASE}${String(row).padStart(4, "0")}i `;
      secondAt[row] = text.length;
      text += `${START_SEC}000000000\n`;
    }
    return new Body(Buffer.from(text, "latin1"), numberAt, secondAt);
  }

  /** One with the same values in memory of its own. */
  copy(): Body {
    return new Body(new Uint8Array(this.bytes), this.#numberAt, this.#secondAt);
  }

  /** Makes this body the one of `number`, below BODY_COUNT_MAX. */
  become(number: number): void {
    const { bytes } = this;
    for (let row = 0; row < BODY_ROW_COUNT; row++) {
      const second = START_SEC + number * BODY_SEC + Math.floor(row / HOST_COUNT) * STEP_SEC;
      writeDigits(bytes, this.#numberAt[row] ?? 0, BODY_NUMBER_BASE + number, BODY_DIGITS);
      writeDigits(bytes, this.#secondAt[row] ?? 0, second, SECOND_DIGITS);
    }
  }
}

function writeDigits(bytes: Uint8Array, at: number, value: number, count: number): void {
  let rest = value;
  for (let index = at + count - 1; index >= at; index--) {
    const next = Math.floor(rest / 10);
    bytes[index] = ZERO + rest - next * 10;
    rest = next;
  }
}

/** A host whose figures go up and down a little each time. */
function makeHost(host: number) {
  const figures = FIELDS.map(() => Math.random() * 100);
  const region = REGIONS[host % REGIONS.length] ?? "";
  const tags =
    `cpu,hostname=host_${host},region=${region},datacenter=${region}${"abc"[host % 3]},rack=${(host * 7) % 100},` +
    `os=${SYSTEMS[host % 3]},arch=x${host % 2 === 0 ? "64" : "86"},team=${TEAMS[host % 4]},service=${host % 20},` +
    `service_version=${host % 2},service_environment=${STAGES[host % 3]}`;
  const nextFields = () => {
    for (const [index, figure] of figures.entries())
      figures[index] = Math.min(100, Math.max(0, figure + (Math.random() - 0.5) * 3));
    return FIELDS.map((name, index) => `usage_${name}=${Math.floor(figures[index] ?? 0)}`).join(
      ",",
    );
  };
  return { tags, nextFields };
}
