/** `FlightData` of Flight.proto, framed: what a call of DoGet answers. */
import type { BatchMessage } from "#arrow/batch.ts";
import { FRAME_HEAD_SIZE, frameHead } from "./grpc/frames.ts";
import { sizedFieldHead } from "./protobuf.ts";

const HEADER_FIELD = 2;
const BODY_FIELD = 1000;

/** A message of Arrow's as it is sent: copied once, into one piece. */
export function encodeFlightData({ body, bodySizeBytes, header }: BatchMessage): Uint8Array {
  const headerHead = sizedFieldHead(HEADER_FIELD, header.length);
  const bodyHead = bodySizeBytes === 0 ? [] : sizedFieldHead(BODY_FIELD, bodySizeBytes);
  const sizeBytes = headerHead.length + header.length + bodyHead.length + bodySizeBytes;
  const bytes = Buffer.allocUnsafeSlow(FRAME_HEAD_SIZE + sizeBytes);
  let place = 0;
  for (const part of [frameHead(sizeBytes), headerHead, header, bodyHead, ...body]) {
    bytes.set(part, place);
    place += part.length;
  }
  return bytes;
}

/** A message without a body. */
export function encodeFlightSchema(schema: Uint8Array): Uint8Array {
  return encodeFlightData({ header: schema, body: [], bodySizeBytes: 0 });
}
