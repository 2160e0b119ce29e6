import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, closeSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { checkout } from '../report.js';
import { cpuSecondsOf, peakMegabytesOf } from './process-cost.js';
import type { Servers } from './servers.js';

/** The token of every API here. */
export const TOKEN = 'the-token-of-the-benchmark';

/** The API as it is built, in a process of its own; what it logs goes to a file, as in service. */
export class ApiProcess {
  readonly url: string;
  readonly #child: ChildProcess;
  readonly #pid: number;

  private constructor(url: string, child: ChildProcess, pid: number) {
    this.url = url;
    this.#child = child;
    this.#pid = pid;
  }

  /**
   * Starts it and waits until it serves.
   */
  static async start(
    servers: Servers,
    { name = 'api', role = 'all', hasWorkers = false }: ApiProcessOptions = {},
  ): Promise<ApiProcess> {
    const state = join(servers.folder, name);
    await mkdir(state, { recursive: true });
    const log = openSync(join(state, 'log'), 'a');
    const profile = process.env['LONGRUN_BENCH_PROFILE'];
    const child = spawn(
      process.execPath,
      [
        ...(profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`]),
        join(checkout, 'apps/api/dist/bundle/main.js'),
      ],
      {
        env: {
          PATH: process.env['PATH'],
          LONGRUN_STATE: state,
          LONGRUN_OBJECTS: pathToFileURL(join(servers.folder, 'objects')).href,
          LONGRUN_TOKEN: TOKEN,
          LONGRUN_ROLE: role,
          LONGRUN_WORKER_LOST_MS: hasWorkers ? '' : '600000',
          REDIS_URL: servers.redisUrl,
          DATABASE_URL: servers.databaseUrl ?? '',
        },
        stdio: ['ignore', log, log],
      },
    );
    closeSync(log);
    let ended: string | undefined;
    child.once('exit', (code, signal) => (ended = String(code ?? signal)));
    for (;;) {
      if (ended !== undefined || child.pid === undefined) {
        throw new Error(`the API ended with ${ended}:\n${await readFile(join(state, 'log'), 'utf8')}`);
      }
      const announced = await readFile(join(state, 'api.json'), 'utf8').catch(() => undefined);
      if (announced !== undefined)
        return new ApiProcess(Announcement.parse(JSON.parse(announced)).url, child, child.pid);
      await pause(5);
    }
  }

  /** CPU, user and system, since it was started, with that of children that have ended. */
  cpuSeconds(): number {
    return cpuSecondsOf(this.#pid);
  }

  /** The most memory that it ever held, in MB. */
  peakMegabytes(): number {
    return peakMegabytesOf(this.#pid);
  }

  async stop(): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await exited;
  }
}

export interface ApiProcessOptions {
  /** Of its folder: replicas on the same servers have one each. Default `api`. */
  readonly name?: string;
  /** Default `all`. */
  readonly role?: 'all' | 'api' | 'controller';
  /** Workers beat, and are missed when they do not, as in service. Default false: what stands for them here says nothing of itself. */
  readonly hasWorkers?: boolean;
}

const Announcement = z.object({ url: z.string() });
