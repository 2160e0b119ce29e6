import { mkdir } from 'node:fs/promises';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { isRunning, ProcessUnderTest } from '@longrun/platform/testing';
import { z } from 'zod';
import { ApiProcess, TOKEN } from '../platform/api-process.js';
import { post, publishMlp } from '../platform/api-requests.js';
import type { Servers } from '../platform/servers.js';
import { checkout, stateFolder } from '../report.js';

/** The services as users run them, each a process of its own, all with their default settings. */
export class Stack {
  readonly agent = new Agent({ keepAlive: true });
  readonly #servers: Servers;
  readonly #api: ApiProcess;
  readonly #workers: ProcessUnderTest[] = [];

  private constructor(servers: Servers, api: ApiProcess) {
    this.#servers = servers;
    this.#api = api;
  }

  static async start(servers: Servers): Promise<Stack> {
    const api = await ApiProcess.start(servers, { hasWorkers: true });
    await publishMlp(api.url);
    return new Stack(servers, api);
  }

  url(path: string): URL {
    return new URL(path, this.#api.url);
  }

  /** Converts the demo's dataset from the files that the set-up has put there. */
  async convert(): Promise<void> {
    const preproc = await this.#process('fuel-preproc', { LONGRUN_RAW: join(stateFolder, 'raw') });
    const spec = { name: 'fashion-mnist', converter: 'fashion-mnist', source: { download: true } };
    const url = this.url(`/v1/datasets/${await post(this.agent, this.url('/v1/datasets'), spec)}`);
    for (let status = ''; status !== 'ready'; await pause(200)) {
      const answer = await fetch(url, { headers: { authorization: `Bearer ${TOKEN}` } });
      status = z.object({ status: z.string() }).parse(await answer.json()).status;
      if (status === 'failed') throw new Error(`the dataset could not be converted:\n${preproc.output}`);
    }
    preproc.signal('SIGTERM');
    await preproc.exited;
  }

  /** Starts a worker and waits until it is ready. */
  async worker(): Promise<void> {
    this.#workers.push(await this.#process('worker-gpu', {}));
  }

  /** The process of a worker, by the id that it goes by. */
  processOf(workerId: string): ProcessUnderTest {
    const found = this.#workers.find(({ pid }) => workerId.endsWith(`-${pid}`) && isRunning(pid));
    if (found === undefined) throw new Error(`There is no process of ${workerId}`);
    return found;
  }

  /** What all workers have said. */
  get output(): string {
    return this.#workers.map(({ output }) => output).join('\n---\n');
  }

  async stop(): Promise<void> {
    this.agent.destroy();
    await Promise.all(this.#workers.map((worker) => worker.end()));
    await this.#api.stop();
  }

  async #process(app: string, more: Readonly<Record<string, string>>): Promise<ProcessUnderTest> {
    const state = join(this.#servers.folder, 'workers');
    await mkdir(state, { recursive: true });
    const started = new ProcessUnderTest(join(checkout, 'apps', app, 'dist/bundle/main.js'), {
      LONGRUN_STATE: state,
      LONGRUN_OBJECTS: `file:${join(this.#servers.folder, 'objects')}`,
      REDIS_URL: this.#servers.redisUrl,
      ...more,
    });
    while (!started.lines.some((line) => line.startsWith(`${app}: ready`))) {
      if (!isRunning(started.pid)) throw new Error(`${app} ended as it started:\n${started.output}`);
      await pause(20);
    }
    return started;
  }
}
