import { isUtf8 } from 'node:buffer';
import type { Socket } from 'node:net';

/** What one end of a channel does with what comes. */
export interface MessageChannelOptions {
  /** One message, as JSON has it; not yet validated. */
  readonly onMessage: (message: unknown) => void;
  /** Something that is no message, with what is wrong with it, in a clause. Nothing is read any more. */
  readonly onGarbage: (why: string) => void;
  /** Of a message that comes, at most. Default: no limit. */
  readonly maxBytes?: number;
}

/**
 * Messages between a worker and its child: one line of JSON each. Node's own channel takes its parent down with one line that is no
 * message of its own, hands over open files, and knows no limit.
 */
export class MessageChannel {
  readonly #socket: Socket;
  readonly #options: MessageChannelOptions;
  /** The beginning of a line that is not whole yet. */
  readonly #begun: Buffer[] = [];
  #begunBytes = 0;
  #outstanding = 0;
  #isOver = false;

  constructor(socket: Socket, options: MessageChannelOptions) {
    this.#socket = socket;
    this.#options = options;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    // What follows is 'close'.
    socket.on('error', () => {});
  }

  /** False once nothing can be said any more. */
  get isOpen(): boolean {
    return this.#socket.writable && !this.#socket.readableEnded;
  }

  /** Messages that have not left this process. */
  get outstanding(): number {
    return this.#outstanding;
  }

  /** Says something; nothing when the other end has gone, which is noticed otherwise. */
  send(message: unknown, onGone: () => void = () => {}): void {
    if (!this.isOpen) return;
    this.#outstanding += 1;
    this.#socket.write(`${JSON.stringify(message)}\n`, () => {
      this.#outstanding -= 1;
      onGone();
    });
  }

  /** Says that nothing more will be said; what the other end says is heard to its end. */
  end(): void {
    this.#socket.end();
  }

  #take(chunk: Buffer): void {
    if (this.#isOver) return;
    let from = 0;
    for (let to = chunk.indexOf(LINE_FEED); to >= 0; to = chunk.indexOf(LINE_FEED, from)) {
      this.#begun.push(chunk.subarray(from, to));
      from = to + 1;
      if (!this.#takeLine(Buffer.concat(this.#begun.splice(0)))) return;
      this.#begunBytes = 0;
    }
    this.#begun.push(chunk.subarray(from));
    this.#begunBytes += chunk.length - from;
    if (this.#begunBytes > this.#maxBytes) this.#refuse(this.#tooLarge());
  }

  /** False when it was no message. */
  #takeLine(line: Buffer): boolean {
    if (line.length > this.#maxBytes) return this.#refuse(this.#tooLarge());
    if (!isUtf8(line)) return this.#refuse('a message is JSON in UTF-8');
    let message: unknown;
    try {
      message = JSON.parse(line.toString('utf8'));
    } catch (error) {
      return this.#refuse(error instanceof Error ? error.message : String(error));
    }
    this.#options.onMessage(message);
    return !this.#isOver;
  }

  #refuse(why: string): false {
    this.#isOver = true;
    this.#begun.length = 0;
    this.#socket.removeAllListeners('data').resume();
    this.#options.onGarbage(why);
    return false;
  }

  #tooLarge(): string {
    return `a message has ${this.#maxBytes} bytes at most`;
  }

  get #maxBytes(): number {
    return this.#options.maxBytes ?? Number.MAX_SAFE_INTEGER;
  }
}

const LINE_FEED = 0x0a;
