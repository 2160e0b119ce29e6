import { createServer } from 'node:net';

/** A TCP port of 127.0.0.1 that nothing listens on at the moment of the call: for a process that has to be told its port. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  if (address === null || typeof address === 'string')
    throw new Error(`Listening on 127.0.0.1:0 gave the address ${String(address)}, which has no port`);
  return address.port;
}
