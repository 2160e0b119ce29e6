import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { z } from 'zod';
import { recordOf, type Servers } from './servers.js';
import type { ServiceCommand, ServiceOptions } from './service-protocol.js';

const Answer = z.union([z.object({ answer: z.unknown() }), z.object({ error: z.string() })]);

/** A platform in a process of its own, so that its CPU is its own too. */
export class ServiceProcess {
  readonly #child: ChildProcess;

  constructor(servers: Servers) {
    const options: ServiceOptions = {
      record: recordOf(servers),
      redisUrl: servers.redisUrl,
      objectStoreUrl: pathToFileURL(join(servers.folder, 'objects')).href,
    };
    const profile = process.env['LONGRUN_BENCH_PROFILE'];
    const execArgv = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
    this.#child = fork(fileURLToPath(new URL('service.js', import.meta.url)), [JSON.stringify(options)], { execArgv });
  }

  /** Has it do something, and waits for the answer. */
  async tell(command: ServiceCommand): Promise<unknown> {
    this.#child.send(command);
    const messages: unknown[] = await Promise.race([
      once(this.#child, 'message'),
      once(this.#child, 'exit').then(([code]) => {
        throw new Error(`the service ended with code ${String(code)}; its own words are above`);
      }),
    ]);
    const answer = Answer.parse(messages[0]);
    if ('error' in answer) throw new Error(`the service failed: ${answer.error}`);
    return answer.answer;
  }

  /** Closes the platform and waits for the end of the process. */
  async close(): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.send({ do: 'close' } satisfies ServiceCommand);
    await exited;
  }
}
