/** Messages of Protocol Buffers: https://protobuf.dev/programming-guides/encoding/. */
import { concatBytes, fromUtf8, utf8 } from "#base/bytes.ts";
import { DbError } from "#base/errors.ts";

const VARINT = 0;
const FIXED_64 = 1;
const SIZED = 2;
const FIXED_32 = 5;
/** Bytes of a number of 64 bits at most, 7 bits a byte. */
const VARINT_SIZE_MAX = 10;
/** Values that a message may hold: those that are read here have some ten. */
const VALUE_COUNT_MAX = 10_000;
const TYPE_PREFIX = "type.googleapis.com/";

type Value = bigint | Uint8Array;

/** A message that was read: what nobody asks for is passed over. Throws `invalid` / `protobuf` where it is none. */
export class Message {
  readonly #fields = new Map<number, Value[]>();

  constructor(bytes: Uint8Array) {
    const reader = new Reader(bytes);
    for (let count = 0; !reader.ended; count += 1) {
      if (count === VALUE_COUNT_MAX) throw tooMany();
      const tag = Number(reader.varint());
      const number = Math.floor(tag / 8);
      if (number < 1) throw malformed("a field has no number");
      const value = reader.value(tag % 8);
      const values = this.#fields.get(number);
      if (values === undefined) this.#fields.set(number, [value]);
      else values.push(value);
    }
  }

  has(number: number): boolean {
    return this.#fields.has(number);
  }

  /** The last one, as bytes; empty where there is none. */
  bytes(number: number): Uint8Array {
    const value = this.#fields.get(number)?.at(-1) ?? EMPTY;
    if (typeof value !== "bigint") return value;
    throw malformed(`field ${number} is a number, not bytes`);
  }

  text(number: number): string {
    return textOf(this.bytes(number));
  }

  optionalText(number: number): string | undefined {
    return this.has(number) ? this.text(number) : undefined;
  }

  message(number: number): Message {
    return new Message(this.bytes(number));
  }

  texts(number: number): readonly string[] {
    return this.#all(number).map((value) => textOf(bytesOf(value, number)));
  }

  messages(number: number): readonly Message[] {
    return this.#all(number).map((value) => new Message(bytesOf(value, number)));
  }

  /** As of 64 bits without a sign; 0 where there is none. */
  number(number: number): bigint {
    const value = this.#fields.get(number)?.at(-1) ?? 0n;
    if (typeof value === "bigint") return value;
    throw malformed(`field ${number} is bytes, not a number`);
  }

  /** All numbers, whether they stand one by one or packed. */
  numbers(number: number): readonly bigint[] {
    const numbers: bigint[] = [];
    const add = (value: bigint) => {
      if (numbers.length === VALUE_COUNT_MAX) throw tooMany();
      numbers.push(value);
    };
    for (const value of this.#all(number)) {
      if (typeof value === "bigint") {
        add(value);
        continue;
      }
      const reader = new Reader(value);
      while (!reader.ended) add(reader.varint());
    }
    return numbers;
  }

  #all(number: number): readonly Value[] {
    return this.#fields.get(number) ?? [];
  }
}

/** What a message is to hold; fields that have their default are left out. */
export type FieldValue = bigint | boolean | string | Uint8Array | undefined;

/** A message of `fields`, by number; a list is a field that comes again. */
export function encodeProtobuf(
  fields: Readonly<Record<number, FieldValue | readonly FieldValue[]>>,
): Uint8Array {
  const parts = Object.entries(fields).flatMap(([number, value]) => {
    if (Array.isArray(value)) return value.map((item) => encodeField(Number(number), item, true));
    return [encodeField(Number(number), value as FieldValue, false)];
  });
  return concatBytes(parts);
}

/** A message that says of which type it is. */
export interface Any {
  /** Without the prefix that all types have. */
  readonly type: string;
  readonly message: Message;
}

/** `google.protobuf.Any`. */
export function readAny(bytes: Uint8Array): Any {
  const any = new Message(bytes);
  const url = any.text(1);
  if (!url.startsWith(TYPE_PREFIX)) throw malformed("it does not say of which type it is");
  return { type: url.slice(TYPE_PREFIX.length), message: any.message(2) };
}

export function encodeAny(type: string, message: Uint8Array): Uint8Array {
  return encodeProtobuf({ 1: TYPE_PREFIX + type, 2: message });
}

/** The beginning of a field that holds `sizeBytes` bytes. */
export function sizedFieldHead(number: number, sizeBytes: number): readonly number[] {
  return [...varint(BigInt(number * 8 + SIZED)), ...varint(BigInt(sizeBytes))];
}

const EMPTY = new Uint8Array();

function encodeField(number: number, value: FieldValue, always: boolean): Uint8Array {
  if (value === undefined) return EMPTY;
  if (typeof value === "bigint" || typeof value === "boolean") {
    if (!always && !value) return EMPTY;
    return Uint8Array.from([...varint(BigInt(number * 8 + VARINT)), ...varint(BigInt(value))]);
  }
  const bytes = typeof value === "string" ? utf8(value) : value;
  if (!always && bytes.length === 0) return EMPTY;
  return concatBytes([Uint8Array.from(sizedFieldHead(number, bytes.length)), bytes]);
}

function varint(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  bytes.push(Number(rest));
  return bytes;
}

class Reader {
  readonly #bytes: Uint8Array;
  #place = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get ended(): boolean {
    return this.#place === this.#bytes.length;
  }

  varint(): bigint {
    let value = 0n;
    for (let i = 0; i < VARINT_SIZE_MAX; i += 1) {
      const byte = this.#take(1)[0] as number;
      value |= BigInt(byte & 127) << BigInt(7 * i);
      if (byte < 128) return BigInt.asUintN(64, value);
    }
    throw malformed("a number is longer than 64 bits");
  }

  value(wireType: number): Value {
    switch (wireType) {
      case VARINT:
        return this.varint();
      case FIXED_64:
        return this.#fixed(8);
      case FIXED_32:
        return this.#fixed(4);
      case SIZED:
        return this.#take(Number(this.varint()));
      default:
        throw malformed(`there is no type ${wireType}`);
    }
  }

  #fixed(sizeBytes: 4 | 8): bigint {
    const { buffer, byteOffset } = this.#take(sizeBytes);
    const view = new DataView(buffer, byteOffset, sizeBytes);
    return sizeBytes === 8 ? view.getBigUint64(0, true) : BigInt(view.getUint32(0, true));
  }

  #take(sizeBytes: number): Uint8Array {
    const start = this.#place;
    if (sizeBytes > this.#bytes.length - start) throw malformed("it ends too early");
    this.#place += sizeBytes;
    return this.#bytes.subarray(start, this.#place);
  }
}

function bytesOf(value: Value, number: number): Uint8Array {
  if (typeof value !== "bigint") return value;
  throw malformed(`field ${number} is a number, not bytes`);
}

function textOf(bytes: Uint8Array): string {
  try {
    return fromUtf8(bytes);
  } catch (error) {
    throw malformed("a text is not UTF-8", error);
  }
}

function tooMany(): DbError {
  return malformed(`it has more than ${VALUE_COUNT_MAX} values`);
}

function malformed(reason: string, cause?: unknown): DbError {
  return new DbError("invalid", "protobuf", `the message is no Protocol Buffers: ${reason}`, {
    cause,
  });
}
