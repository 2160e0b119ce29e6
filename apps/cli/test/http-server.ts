import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';

/** A server that answers as it is told to. */
export interface HttpServer {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  close(): void;
}

/** Starts a server on a free port. */
export async function serve(answer: RequestListener): Promise<HttpServer> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('It does not listen');
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
