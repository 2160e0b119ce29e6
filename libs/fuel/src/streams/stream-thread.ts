import { type MessagePort, parentPort, workerData } from 'node:worker_threads';

import { BufferRing } from './buffer-ring.js';
import { buildStream } from './build-stream.js';
import type { DataStream } from './data-stream.js';
import type { Delivery } from './delivery.js';
import { movableColumns } from './movable.js';
import type { FromThread, ThreadStart, ToThread } from './thread-protocol.js';

/** The work of a thread that reads a stream for another one, see `ThreadStream`. @internal */
export async function serveStream(): Promise<void> {
  if (parentPort === null) throw new Error('serveStream: this is no thread');
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what ThreadStream gives it
  const start = workerData as ThreadStart;
  const service = new Service(parentPort, await buildStream(start), start.ahead);
  parentPort.on('message', (message: ToThread) => service.hear(message));
}

class Service {
  readonly #port: MessagePort;
  readonly #stream: DataStream;
  readonly #ahead: number;
  /** Of what is sent: it comes back when it is released there. */
  readonly #ring = new BufferRing();
  /** The one that is read; none: -1. */
  #course = -1;
  /** How many batches more it may be ahead. */
  #spare = 0;
  #working: Promise<void> = Promise.resolve();

  constructor(port: MessagePort, stream: DataStream, ahead: number) {
    this.#port = port;
    this.#stream = stream;
    this.#ahead = ahead;
  }

  hear(message: ToThread): void {
    if (message.go === 'on') {
      const { course, from } = message;
      this.#course = course;
      this.#spare = this.#ahead;
      this.#then(course, () => this.#stream.restore(from));
    } else if (message.go === 'taken') {
      for (const buffer of message.released) this.#ring.give(buffer);
      if (message.course !== this.#course) return;
      this.#spare += 1;
      this.#then(message.course);
    } else {
      this.#course = -1;
      this.#working = this.#working.then(() => this.#stream.close()).finally(() => this.#port.close());
    }
  }

  #then(course: number, first?: () => void): void {
    this.#working = this.#readOn(this.#working, course, first);
  }

  /** Reads on in a course, after what is under way and what is to be done first. */
  async #readOn(underWay: Promise<void>, course: number, first?: () => void): Promise<void> {
    await underWay;
    if (course !== this.#course) return;
    try {
      first?.();
      while (course === this.#course && this.#spare > 0) await this.#readOne(course);
    } catch {
      // Whoever waits for it finds out why by reading it there.
      this.#end({ course, is: 'failure' });
    }
  }

  async #readOne(course: number): Promise<void> {
    const delivery = await this.#stream.next();
    if (course !== this.#course) return;
    if (delivery === undefined) {
      this.#end({ course, is: 'end', state: this.#stream.state() });
      return;
    }
    this.#spare -= 1;
    this.#send(course, delivery);
  }

  #end(message: FromThread): void {
    if (message.course !== this.#course) return;
    this.#course = -1;
    this.#port.postMessage(message, []);
  }

  #send(course: number, delivery: Delivery): void {
    const { columns, buffers } = movableColumns(delivery.columns, this.#ring.take);
    const { epoch, index } = delivery;
    const message: FromThread = { course, is: 'batch', batch: { columns, epoch, index, state: delivery.state() } };
    this.#port.postMessage(message, buffers);
    delivery.release();
  }
}
