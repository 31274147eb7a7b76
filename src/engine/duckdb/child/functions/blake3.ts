/** The hash of 32 bytes that the BLAKE3 paper (O'Connor and others, 2020) defines in section 2, without a key. */

const BLOCK_SIZE = 64;
const CHUNK_SIZE = 1024;
const WORD_COUNT = 16;
const ROUND_COUNT = 7;
const [CHUNK_START, CHUNK_END, PARENT, ROOT] = [1, 2, 4, 8];

const INITIAL = Uint32Array.of(
  0x6a09e667,
  0xbb67ae85,
  0x3c6ef372,
  0xa54ff53a,
  0x510e527f,
  0x9b05688c,
  0x1f83d9ab,
  0x5be0cd19,
);
/** Where the words of a message stand in the next round. */
const PERMUTATION = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8];
/** Which words of the state are mixed: columns, then diagonals. */
const MIXES = [
  [0, 4, 8, 12],
  [1, 5, 9, 13],
  [2, 6, 10, 14],
  [3, 7, 11, 15],
  [0, 5, 10, 15],
  [1, 6, 11, 12],
  [2, 7, 8, 13],
  [3, 4, 9, 14],
] as const;

/** What the last compression of a node takes; whether the node is the root is told when it is made. */
interface Node {
  readonly chain: Uint32Array;
  readonly words: Uint32Array;
  readonly counter: number;
  readonly size: number;
  readonly flags: number;
}

export function blake3(bytes: Uint8Array): Uint8Array {
  const root = nodeOf(bytes, 0);
  const state = compress({ ...root, flags: root.flags | ROOT });
  const digest = new Uint8Array(32);
  const view = new DataView(digest.buffer);
  for (let index = 0; index < 8; index++) view.setUint32(index * 4, state[index] ?? 0, true);
  return digest;
}

/** The tree of chunks: the left side has the most chunks that are a power of two and leave some for the right. */
function nodeOf(bytes: Uint8Array, chunkIndex: number): Node {
  if (bytes.length <= CHUNK_SIZE) return chunkNode(bytes, chunkIndex);
  const chunkCount = Math.ceil(bytes.length / CHUNK_SIZE);
  const leftCount = 2 ** Math.floor(Math.log2(chunkCount - 1));
  const left = nodeOf(bytes.subarray(0, leftCount * CHUNK_SIZE), chunkIndex);
  const right = nodeOf(bytes.subarray(leftCount * CHUNK_SIZE), chunkIndex + leftCount);
  const words = new Uint32Array(WORD_COUNT);
  words.set(compress(left).subarray(0, 8));
  words.set(compress(right).subarray(0, 8), 8);
  return { chain: INITIAL, words, counter: 0, size: BLOCK_SIZE, flags: PARENT };
}

function chunkNode(bytes: Uint8Array, counter: number): Node {
  const lastStart = Math.max(Math.ceil(bytes.length / BLOCK_SIZE) - 1, 0) * BLOCK_SIZE;
  let chain = INITIAL;
  for (let start = 0; start < lastStart; start += BLOCK_SIZE) {
    const words = wordsOf(bytes.subarray(start, start + BLOCK_SIZE));
    const flags = start === 0 ? CHUNK_START : 0;
    chain = compress({ chain, words, counter, size: BLOCK_SIZE, flags }).slice(0, 8);
  }
  const last = bytes.subarray(lastStart);
  const flags = CHUNK_END | (lastStart === 0 ? CHUNK_START : 0);
  return { chain, words: wordsOf(last), counter, size: last.length, flags };
}

function wordsOf(block: Uint8Array): Uint32Array {
  const padded = new Uint8Array(BLOCK_SIZE);
  padded.set(block);
  const view = new DataView(padded.buffer);
  return Uint32Array.from({ length: WORD_COUNT }, (_, index) => view.getUint32(index * 4, true));
}

/** The first half of the state is the chaining value, or the hash of a root. */
function compress({ chain, words, counter, size, flags }: Node): Uint32Array {
  const state = new Uint32Array(WORD_COUNT);
  state.set(chain);
  state.set(INITIAL.subarray(0, 4), 8);
  state[12] = counter;
  state[13] = Math.floor(counter / 2 ** 32);
  state[14] = size;
  state[15] = flags;
  let message = words;
  for (let round = 0; round < ROUND_COUNT; round++) {
    for (const [index, places] of MIXES.entries()) {
      mix(state, places, message[2 * index] ?? 0, message[2 * index + 1] ?? 0);
    }
    const before = message;
    message = Uint32Array.from(PERMUTATION, (place) => before[place] ?? 0);
  }
  for (let index = 0; index < 8; index++) {
    state[index] = (state[index] ?? 0) ^ (state[index + 8] ?? 0);
  }
  return state;
}

function mix(
  state: Uint32Array,
  [a, b, c, d]: readonly [number, number, number, number],
  first: number,
  second: number,
): void {
  const read = (place: number) => state[place] ?? 0;
  for (const [word, turnD, turnB] of [
    [first, 16, 12],
    [second, 8, 7],
  ] as const) {
    state[a] = read(a) + read(b) + word;
    state[d] = rotated(read(d) ^ read(a), turnD);
    state[c] = read(c) + read(d);
    state[b] = rotated(read(b) ^ read(c), turnB);
  }
}

function rotated(word: number, count: number): number {
  return (word >>> count) | (word << (32 - count));
}
