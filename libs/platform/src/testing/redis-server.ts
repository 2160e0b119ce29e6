import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Redis } from 'ioredis';

import { freePort } from '../configuration/free-port.js';

/** A real redis-server of a test's own, which keeps nothing on disk. */
export class RedisServer {
  readonly url: string;
  readonly #port: number;
  readonly #folder: string;
  readonly #settings: readonly string[];
  #process: ChildProcess;

  private constructor(port: number, folder: string, settings: readonly string[], child: ChildProcess) {
    this.url = `redis://127.0.0.1:${port}`;
    this.#port = port;
    this.#folder = folder;
    this.#settings = settings;
    this.#process = child;
  }

  /**
   * Starts one on a free port of 127.0.0.1 and waits until it answers.
   *
   * @param settings beside its own, as on the command line: `['--maxmemory', '1mb']`
   */
  static async start(settings: readonly string[] = []): Promise<RedisServer> {
    const folder = await mkdtemp(join(tmpdir(), 'longrun-redis-'));
    // Another process can take a free port before redis-server does: then the next one.
    for (let attempt = 1; ; attempt += 1) {
      const port = await freePort();
      try {
        return new RedisServer(port, folder, settings, await spawnRedis(port, folder, settings));
      } catch (error) {
        if (attempt >= 5 || isMissing(error)) throw error;
      }
    }
  }

  /** Loses all data, as `FLUSHALL` or a restart without a file does. */
  async flushAll(): Promise<void> {
    const redis = new Redis(this.url);
    await redis.flushall();
    redis.disconnect();
  }

  /** What is in a sorted set, in its order. */
  async members(sortedSet: string): Promise<string[]> {
    const redis = new Redis(this.url);
    const members = await redis.zrange(sortedSet, '0', '-1');
    redis.disconnect();
    return members;
  }

  /** How often a command was called since the server started. */
  async calls(command: string): Promise<number> {
    const redis = new Redis(this.url);
    const statistics = await redis.info('commandstats');
    redis.disconnect();
    return Number(new RegExp(`^cmdstat_${command}:calls=(\\d+)`, 'm').exec(statistics)?.[1] ?? 0);
  }

  /** The names of all keys that match a pattern, as `*exp_1*`. */
  async keys(pattern: string): Promise<string[]> {
    const redis = new Redis(this.url);
    const keys = await redis.keys(pattern);
    redis.disconnect();
    return keys;
  }

  get port(): number {
    return this.#port;
  }

  /** Kills it; `restart` brings it back. */
  async stopServing(): Promise<void> {
    await this.#kill();
  }

  /** Kills it if it runs, and starts it again on the same port, empty. */
  async restart(): Promise<void> {
    await this.#kill();
    this.#process = await spawnRedis(this.#port, this.#folder, this.#settings);
  }

  /** Kills it and removes its folder. */
  async stop(): Promise<void> {
    await this.#kill();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await exited;
  }
}

async function spawnRedis(port: number, folder: string, settings: readonly string[]): Promise<ChildProcess> {
  const flags = ['--save', '', '--appendonly', 'no', '--dir', folder, '--loglevel', 'warning', ...settings];
  const child = spawn('redis-server', ['--bind', '127.0.0.1', '--port', String(port), ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output = (output + text).slice(-2000)));
  }
  const failed = new Promise<never>((_, reject) => {
    child.once('error', (error) => {
      reject(
        isMissing(error)
          ? new Error('redis-server is not installed; run `apt-get install redis-server`', { cause: error })
          : error,
      );
    });
    child.once('exit', (code) => reject(new Error(`redis-server ended with code ${code}: ${output}`)));
  });
  failed.catch(() => undefined);
  const redis = new Redis({ host: '127.0.0.1', port, retryStrategy: () => 20, maxRetriesPerRequest: null });
  redis.on('error', () => undefined);
  try {
    await Promise.race([redis.ping(), failed]);
  } finally {
    redis.disconnect();
  }
  return child;
}

function isMissing(error: unknown): boolean {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
}
