import type { PGlite } from '@electric-sql/pglite';
import { Client } from 'pg';

import type { Warn } from '../redis/connection.js';

/**
 * On what the record tells every process that has it open: an experiment has new events (`longrun_live`), something may be
 * scheduled (`longrun_moved`), a life's end is decided (`longrun_decided`).
 */
export const CHANNELS = ['longrun_live', 'longrun_moved', 'longrun_decided'] as const;
export type Channel = (typeof CHANNELS)[number];

/** Told the payload of each notice; null when some may have been lost: then the record itself is to be looked at. */
export type NoticeListener = (payload: string | null) => void;

/** Hears what committed transactions say, of this process and of others. A notice may be lost: who must not miss one also looks, now and then. */
export class Notices {
  readonly #listeners: Readonly<Record<Channel, Set<NoticeListener>>> = {
    longrun_live: new Set(),
    longrun_moved: new Set(),
    longrun_decided: new Set(),
  };

  /** Listens from now on; the function that it returns ends that. */
  on(channel: Channel, listener: NoticeListener): () => void {
    this.#listeners[channel].add(listener);
    return () => void this.#listeners[channel].delete(listener);
  }

  /** Hands a notice on. */
  deliver(channel: string, payload: string | null): void {
    for (const known of CHANNELS) {
      if (known === channel) for (const listener of this.#listeners[known]) listener(payload);
    }
  }

  /** Says on all channels that notices may have been lost. */
  missed(): void {
    for (const channel of CHANNELS) this.deliver(channel, null);
  }
}

/** Hears the embedded record, whose only session this process is. */
export async function listenToPglite(pglite: PGlite, notices: Notices): Promise<void> {
  for (const channel of CHANNELS) await pglite.listen(channel, (payload) => notices.deliver(channel, payload));
}

/** Hears a PostgreSQL on a connection of its own, which is opened again whenever it breaks. */
export class PostgresListener {
  readonly #databaseUrl: string;
  readonly #notices: Notices;
  readonly #warn: Warn;
  #client: Client | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #closed = false;

  constructor(databaseUrl: string, notices: Notices, warn: Warn) {
    this.#databaseUrl = databaseUrl;
    this.#notices = notices;
    this.#warn = warn;
  }

  /** Connects, and returns when it listens or has failed once: then it tries again by itself. */
  async start(): Promise<void> {
    const client = new Client({ connectionString: this.#databaseUrl, keepAlive: true });
    this.#client = client;
    let broken = false;
    const again = (error?: Error): void => {
      if (broken || this.#closed) return;
      broken = true;
      this.#failures += 1;
      const pauseMs = Math.min(100 * 2 ** (this.#failures - 1), 5_000);
      this.#warn(`PostgreSQL notices: ${error?.message ?? 'the connection ended'}; connecting again in ${pauseMs} ms`);
      this.#timer = setTimeout(() => void this.start(), pauseMs);
      void close(client);
    };
    client.on('error', again);
    client.on('end', () => again());
    client.on('notification', ({ channel, payload }) => this.#notices.deliver(channel, payload ?? ''));
    try {
      await client.connect();
      await client.query(CHANNELS.map((channel) => `listen ${channel}`).join('; '));
    } catch (error) {
      again(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    this.#failures = 0;
    // What was said while nobody listened is in the record only.
    this.#notices.missed();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    if (this.#client !== undefined) await close(this.#client);
  }
}

/** A connection that is broken cannot be closed any better. */
async function close(client: Client): Promise<void> {
  await client.end().catch(() => undefined);
}
