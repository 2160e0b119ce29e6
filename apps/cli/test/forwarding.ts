import { type IncomingHttpHeaders, type IncomingMessage, request as ask, type ServerResponse } from 'node:http';

/** What is done to what passes. */
export interface Forwarding {
  /** Path and query to ask for. Default: those of the request. */
  readonly path?: string;
  /** After so many bytes of the body the connection is cut. Default: never. */
  readonly cutAfterBytes?: number;
  /** Headers of the answer. Default: as they are. */
  readonly answered?: (headers: IncomingHttpHeaders) => IncomingHttpHeaders;
}

/** Passes a request on to another server, its `Host` too, which signatures are of, and the answer back. */
export function forward(
  request: IncomingMessage,
  response: ServerResponse,
  to: string,
  { path = request.url ?? '/', cutAfterBytes = Infinity, answered = (headers) => headers }: Forwarding = {},
): void {
  const { hostname, port } = new URL(to);
  const { method = 'GET', headers } = request;
  const onward = ask({ hostname, port, path, method, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answered(answer.headers));
    let passedBytes = 0;
    answer.on('data', (piece: Buffer) => {
      const given = piece.subarray(0, cutAfterBytes - passedBytes);
      passedBytes += given.byteLength;
      response.write(given, () => {
        if (passedBytes >= cutAfterBytes) response.destroy();
      });
    });
    answer.once('end', () => {
      if (passedBytes < cutAfterBytes) response.end();
    });
    answer.once('error', () => response.destroy());
  });
  onward.once('error', () => response.destroy());
  response.once('close', () => onward.destroy());
  request.pipe(onward);
}
