import { randomUUID } from 'node:crypto';
import type { Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { Refusal } from '../problems/refusal.js';

/** Answers what Node's HTTP parser refuses, before any request exists, with a problem document as well. */
export function refuseBrokenHttp(server: Server): void {
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    const refusal = new Refusal('bad-request', {
      errors: [
        {
          pointer: '',
          detail: `The connection does not carry HTTP that can be read (${error.code ?? error.message}).`,
          remedy: 'Send HTTP/1.1 with headers of at most 16 KiB in all.',
        },
      ],
    });
    const body = JSON.stringify(refusal.document(randomUUID()));
    socket.end(
      `HTTP/1.1 400 Bad Request\r\nContent-Type: application/problem+json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    );
  });
}
