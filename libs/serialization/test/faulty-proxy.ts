import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What happens to a request. */
export interface ProxyFault {
  /** Of which requests: `PUT`, and `POST ?uploadId` for those whose address has that. */
  readonly on: string;
  /**
   * A status with a code of S3's: so it is answered, and not forwarded. `refuse` cuts the connection in the middle of the request; `hang` never
   * answers; `lose` forwards it and cuts the connection instead of answering; `cut` does so in the middle of the answer, where
   * `stall` falls silent; `slow` answers in small bits; `lie` says that it is written, and does not forward it.
   */
  readonly what:
    | readonly [status: number, code: string]
    | 'refuse'
    | 'hang'
    | 'lose'
    | 'cut'
    | 'stall'
    | 'slow'
    | 'lie';
  /** How often, one request after the other. Default 1. */
  readonly times?: number;
  /** Whether the turn of the next such request has come. Default: at once. */
  readonly isDue?: () => boolean;
  /** What happens to the store before the client learns of it. */
  readonly meanwhile?: () => Promise<unknown>;
}

/** A server between a client and a real one: does to requests what it is told, and passes on all others as they are. */
export class FaultyProxy {
  /** `PUT /bucket/key?partNumber=1`, in order. */
  readonly requests: string[] = [];
  /** Those of them that were answered. */
  readonly answered: string[] = [];
  /** Versions that what is there was to have, as they were asked for. */
  readonly conditions: string[] = [];
  readonly #server: Server;
  readonly #target: URL;
  #faults: { readonly fault: ProxyFault; left: number }[] = [];

  private constructor(target: string) {
    this.#target = new URL(target);
    this.#server = createServer((incoming, answer) => {
      this.#serve(incoming, answer).catch(() => incoming.socket.destroy());
    });
  }

  static async before(target: string): Promise<FaultyProxy> {
    const proxy = new FaultyProxy(target);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  failNext(fault: ProxyFault): void {
    this.#faults.push({ fault, left: fault.times ?? 1 });
  }

  /** Forgets all faults. @throws Error if one has not happened as often as it should: then the test has shown nothing */
  checkAllFired(): void {
    const unfired = this.#faults.filter(({ left }) => left > 0);
    this.#faults = [];
    const [first] = unfired;
    if (first === undefined) return;
    throw new Error(
      `${JSON.stringify(first.fault)} was to happen ${first.left} times more; asked: ${this.requests.join(', ')}`,
    );
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #serve(incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
    const asked = `${incoming.method} ${incoming.url}`;
    this.requests.push(asked);
    const condition = incoming.headers['if-match'];
    if (condition !== undefined) this.conditions.push(condition);
    answer.once('finish', () => this.answered.push(asked));
    const next = this.#faults.find(({ fault, left }) => left > 0 && matches(fault, asked) && fault.isDue?.() !== false);
    if (next !== undefined) next.left -= 1;
    const { what, meanwhile } = next?.fault ?? {};
    if (what === 'refuse') {
      // A connection that is kept open may be cut before anything of this request has gone over it.
      await meanwhile?.();
      incoming.socket.destroy();
      return;
    }
    const body = await bytesOf(incoming);
    if (what === 'hang') {
      await meanwhile?.();
      return;
    }
    if (what === 'lie' || Array.isArray(what)) {
      await meanwhile?.();
      const [status, code] = Array.isArray(what) ? what : [200, ''];
      const etag = createHash('md5').update(body).digest('hex');
      answer.writeHead(status, { 'content-type': 'application/xml', ETag: `"${etag}"` });
      answer.end(
        code === '' ? '' : `<?xml version="1.0"?><Error><Code>${code}</Code><Message>on purpose</Message></Error>`,
      );
      return;
    }
    const real = await this.#forward(incoming, body);
    const content = await bytesOf(real);
    await meanwhile?.();
    if (what === 'lose') {
      incoming.socket.destroy();
      return;
    }
    answer.writeHead(real.statusCode ?? 500, real.rawHeaders);
    if (what === 'cut' || what === 'stall') {
      await new Promise((written) => answer.write(content.subarray(0, content.byteLength / 2), written));
      if (what === 'stall') return;
      // What was written arrives first.
      await sleep(50);
      incoming.socket.destroy();
      return;
    }
    const bits = what === 'slow' ? 10 : 1;
    const bitBytes = Math.ceil(content.byteLength / bits);
    for (let bit = 1; bit < bits; bit += 1) {
      answer.write(content.subarray((bit - 1) * bitBytes, bit * bitBytes));
      await sleep(20);
    }
    answer.end(content.subarray((bits - 1) * bitBytes));
  }

  async #forward(incoming: IncomingMessage, body: Buffer): Promise<IncomingMessage> {
    const { hostname, port } = this.#target;
    const { method, url: path, rawHeaders: headers } = incoming;
    const forwarded = request({ hostname, port, method, path, headers, agent: false });
    forwarded.end(body);
    const [real] = (await once(forwarded, 'response')) as [IncomingMessage];
    return real;
  }
}

function matches({ on }: ProxyFault, asked: string): boolean {
  const [method = '', ...parts] = on.split(' ');
  return asked.startsWith(`${method} `) && parts.every((part) => asked.includes(part));
}

async function bytesOf(message: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of message as AsyncIterable<Buffer>) pieces.push(piece);
  return Buffer.concat(pieces);
}
