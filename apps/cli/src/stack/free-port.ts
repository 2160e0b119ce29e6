import { createServer } from 'node:net';

/** A TCP port of 127.0.0.1 that nothing listens on at the moment of the call. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        if (address !== null && typeof address === 'object') resolve(address.port);
        else reject(new Error(`listening on 127.0.0.1:0 gave the address ${String(address)}, which has no port`));
      });
    });
  });
}
