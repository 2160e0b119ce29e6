import { createServer } from 'node:net';

/** The port that was asked for is not to be had. */
export class PortInUse extends Error {
  override readonly name = 'PortInUse';
}

/** Throws PortInUse when the API could not listen at a port that was asked for. 0 is any that is free. */
export async function refusePortInUse(port: number): Promise<void> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    const why = { EADDRINUSE: 'another process listens there', EACCES: 'this user may not bind it' }[code] ?? code;
    throw new PortInUse(
      `--port ${port}: the API cannot listen at 127.0.0.1:${port}, because ${why}; give another one, or none`,
    );
  } finally {
    server.close();
  }
}
