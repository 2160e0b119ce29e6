import type { Kind } from '@longrun/contracts';

/** What every name in Redis starts with, unless told otherwise. */
export const DEFAULT_PREFIX = 'longrun';

/** What such a prefix may be: letters, digits, `-`, `_`. */
export const PREFIX_PATTERN = /^[\w-]+$/;

/** Every key, queue and channel name that Longrun uses in Redis. Nothing else makes one. */
export class RedisKeys {
  readonly prefix: string;

  /** @param prefix of all names; systems with different prefixes share a Redis without meeting. Letters, digits, `-`, `_`. */
  constructor(prefix: string = DEFAULT_PREFIX) {
    if (!PREFIX_PATTERN.test(prefix)) {
      throw new Error(
        `Redis prefix ${JSON.stringify(prefix)} has characters beyond letters, digits, - and _; leave them out`,
      );
    }
    this.prefix = prefix;
  }

  /** BullMQ's prefix. In braces: all keys of a queue must share one slot of a Redis Cluster. */
  get queuePrefix(): string {
    return `{${this.prefix}}`;
  }

  /** The queue in which jobs of one kind wait. */
  queue(kind: Kind): string {
    return `${kind}s`;
  }

  /** BullMQ's id of the job of one fence: adding it twice adds it once. */
  job(id: string, fence: number): string {
    return `${id}.${fence}`;
  }

  /** Stream on which workers send their events to the record. */
  get events(): string {
    return `${this.prefix}:events`;
  }

  /** Where the record notes the last event of an attempt that it has taken: a sequence number or `refused`. Expires. */
  acknowledgement(id: string, fence: number): string {
    return `${this.prefix}:ack:${id}:${fence}`;
  }

  /** Hash of what each worker reported last, by its id. */
  get workers(): string {
    return `${this.prefix}:workers`;
  }

  /** Channel on which nothing is ever said: a worker process holds a subscription to its own as long as it lives. */
  connection(name: string): string {
    return `${this.prefix}:connection:${name}`;
  }

  /** Where one process tries whether Redis takes writes. Expires. */
  probe(processId: string): string {
    return `${this.prefix}:probe:${processId}`;
  }

  /** Channel on which the record tells workers what to do. */
  get commands(): string {
    return `${this.prefix}:commands`;
  }
}
