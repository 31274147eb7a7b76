/** What the answers of HTTP/1.1 and HTTP/2 do not do alike. */
import type { IncomingMessage, ServerResponse } from "node:http";
import {
  constants,
  Http2ServerRequest,
  Http2ServerResponse,
  type ServerHttp2Stream,
} from "node:http2";

/**
 * A request of HTTP/2 and its answer as those of HTTP/1.1, which Node makes them alike to. Where they are not, `isSent` and `cutStream`
 * know better.
 */
export function asHttp1(
  request: Http2ServerRequest,
  response: Http2ServerResponse,
): [IncomingMessage, ServerResponse] {
  return [request, response] as unknown as [IncomingMessage, ServerResponse];
}

/** Whether nothing can be said over `stream` any more. */
export function isClosed(stream: ServerHttp2Stream): boolean {
  return stream.destroyed || stream.closed;
}

/** Tells a client that waits for it to send the body. One that has left is told nothing. */
export function sendContinue(response: ServerResponse): void {
  const any: unknown = response;
  if (any instanceof Http2ServerResponse && isClosed(any.stream)) return;
  response.writeContinue();
}

/** Whether the end of a body is what its client said: over HTTP/2, a stream that the client closes in the midst of it ends as well. */
export function isWhole(request: IncomingMessage): boolean {
  const any: unknown = request;
  return !(any instanceof Http2ServerRequest && any.stream.aborted);
}

/**
 * Whether what is written of an answer goes out. Over HTTP/1.1 it waits for the answers to requests that came before, and the event "socket"
 * tells when it is its turn. An answer whose connection ends before that is closed.
 */
export function hasTurn(response: ServerResponse): boolean {
  const any: unknown = response;
  return any instanceof Http2ServerResponse || response.socket !== null;
}

/** Whether all of an answer is handed to the connection, once that has let go of it. */
export function isSent(response: ServerResponse): boolean {
  const any: unknown = response;
  if (!(any instanceof Http2ServerResponse)) return response.writableFinished;
  // A stream that its client closes counts as finished, whatever was written.
  return any.writableEnded && any.stream.rstCode === constants.NGHTTP2_NO_ERROR;
}

/**
 * Closes the stream of a request of HTTP/2 that is answered though its client has not sent all of it, when the answer has gone (RFC 9113,
 * section 8.1): it would stay open for as long as the client likes.
 */
export function closeAnswered(request: IncomingMessage, response: ServerResponse): void {
  const any: unknown = response;
  if (!(any instanceof Http2ServerResponse)) return;
  const { stream } = any;
  const close = () => {
    if (!request.complete) stream.close(constants.NGHTTP2_NO_ERROR);
  };
  if (stream.writableFinished) setImmediate(close);
  else stream.once("finish", () => setImmediate(close));
}

/** Ends an answer over HTTP/2 so that nobody takes it for whole; answers whether it was one. */
export function cutStream(response: ServerResponse): boolean {
  const any: unknown = response;
  if (!(any instanceof Http2ServerResponse)) return false;
  any.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  return true;
}
