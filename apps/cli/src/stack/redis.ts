import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';

import { Service, ServiceFailed } from './service.js';
import type { StageProgress } from './start-progress.js';

/** A redis-server for one stack. */
export interface LocalRedis {
  readonly service: Service;
  /** `redis://:<password>@127.0.0.1:<port>` */
  readonly url: string;
}

/** What a local redis-server needs. */
export interface LocalRedisOptions {
  /** Holds its configuration and its append-only file. */
  readonly folder: string;
  readonly port: number;
  readonly logFile: string;
  /** Default: `redis-server`, found on PATH. */
  readonly command?: string;
  readonly onStage?: (progress: StageProgress) => void;
  /** How long it may take to end after SIGTERM before it gets SIGKILL. Default: as any {@link Service}. */
  readonly stopTimeoutMs?: number;
}

/**
 * Describes a redis-server on the loopback interface with the append-only file on and a password of its own (other users
 * of the machine can reach the port). It never drops a key for want of memory, as BullMQ demands.
 */
export async function localRedis(options: LocalRedisOptions): Promise<LocalRedis> {
  const { folder, port, logFile, command = 'redis-server', onStage = () => undefined, stopTimeoutMs } = options;
  await mkdir(folder, { recursive: true });
  const password = randomBytes(24).toString('hex');
  const configuration = join(folder, 'redis.conf');
  const lines = [
    'bind 127.0.0.1',
    `port ${port}`,
    `requirepass ${password}`,
    `dir ${JSON.stringify(folder)}`,
    'appendonly yes',
    'appendfsync everysec',
    'save ""',
    'maxmemory-policy noeviction',
    'daemonize no',
  ];
  await writeFile(configuration, `${lines.join('\n')}\n`, { mode: 0o600 });
  const service = new Service({
    name: 'redis',
    command,
    // Not by its name: Redis 7 takes a path with * ? or [ for a pattern, and what it does not find for an empty file.
    args: ['-'],
    input: configuration,
    logFile,
    onStage,
    ...(stopTimeoutMs !== undefined && { stopTimeoutMs }),
    isReady: () => answersPing(port, password),
    explain: (said) =>
      saysPortInUse(said)
        ? `another process listens at 127.0.0.1:${port}, which was free a moment ago; start it again`
        : undefined,
  });
  return { service, url: `redis://:${password}@127.0.0.1:${port}` };
}

/** Whether another process had taken the port: with another one it may come up. */
export function foundPortInUse(error: unknown): boolean {
  return error instanceof ServiceFailed && saysPortInUse(error.lastLines);
}

function saysPortInUse(lines: readonly string[]): boolean {
  return lines.some((line) => line.includes('Address already in use'));
}

/** Whether a Redis answers PONG; one that still loads its append-only file answers an error. */
function answersPing(port: number, password: string): Promise<boolean> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect({ host: '127.0.0.1', port, timeout: 1_000 });
    const settle = (ready: boolean): void => {
      socket.destroy();
      resolve(ready);
    };
    socket.once('error', () => settle(false));
    socket.once('timeout', () => settle(false));
    socket.once('close', () => settle(false));
    socket.on('data', (bytes) => {
      answer += bytes.toString('latin1');
      if (answer.split('\r\n').length > 2) settle(answer === '+OK\r\n+PONG\r\n');
    });
    socket.write(`AUTH ${password}\r\nPING\r\n`);
  });
}
