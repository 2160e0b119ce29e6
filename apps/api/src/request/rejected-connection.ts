import { randomUUID } from 'node:crypto';
import type { Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { refusal } from '../problems/refusal.js';

/** Answers what Node's HTTP parser refuses, before any request exists, with a problem document as well. */
export function refuseBrokenHttp(server: Server): void {
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    const facts = { says: error.code ?? error.message };
    const answer = refusal('bad-request', [{ path: [], code: 'http-broken', facts }]);
    const body = JSON.stringify(answer.document(randomUUID()));
    socket.end(
      `HTTP/1.1 400 Bad Request\r\nContent-Type: application/problem+json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    );
  });
}
