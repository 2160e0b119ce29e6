import { randomInt } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { ApiUnreachable, Client } from '@longrun/client';
import { type ExperimentView, isTerminal, isTerminalDataset } from '@longrun/contracts';
import { readFired } from '@longrun/serialization';

import { listenForStop } from '../commands/stop-requests.js';
import { hermetic } from '../demo/demo.js';
import type { Terminal } from '../output/terminal.js';
import { readSpecFile } from '../spec-file.js';
import { findInstallation } from '../stack/installation.js';
import { LocalStack, type ServiceName } from '../stack/stack.js';
import { inStateFolder } from '../stack/state-folder.js';
import { doDisasters, type Done } from './chaos.js';
import { Disasters } from './disasters.js';
import { type Ended, KINDS, readEnded, smallExperiment, wrongs } from './experiment.js';
import { leftovers, processesLeft } from './leftovers.js';
import { saySoak, type SoakFacts } from './report.js';

/** How the soak runs. */
export interface SoakOptions {
  /** Folder of all state; the soak's own is `soak/stack` in it, made anew each time, its facts lie in `soak/`. */
  readonly state: string;
  /** How long disasters are done; then all that is left has to end. */
  readonly minutes: number;
  readonly experiments: number;
  /** All disasters are drawn from it. Default: a random one, which is printed. */
  readonly seed: number | undefined;
}

/**
 * Runs small experiments on two workers while every process is killed and stopped at random, Redis is flushed and disks are full,
 * and compares each with an undisturbed run of the same spec. The exit code: 0 only when all are as they must be and nothing is left.
 */
export async function soak(terminal: Terminal, options: SoakOptions): Promise<number> {
  const folder = resolve(options.state, 'soak');
  await inStateFolder(folder, async () => await mkdir(folder, { recursive: true }));
  const seed = options.seed ?? randomInt(2 ** 31);
  terminal.say(
    `seed ${seed}: \`npm run soak -- ${options.minutes} --experiments ${options.experiments} --seed ${seed}\` draws the same disasters`,
  );
  const requests = listenForStop(terminal);
  const run = new Soak(terminal, { ...options, seed }, folder, requests.stop);
  try {
    const facts = await run.run(requests.kill);
    const path = join(folder, 'soak.json');
    await writeFile(path, `${JSON.stringify(facts, null, 2)}\n`);
    saySoak(terminal, facts);
    terminal.say(
      `All facts are in ${relative('.', path)}, the logs in ${relative('.', join(folder, 'stack', 'logs'))}.`,
    );
    return facts.passed ? 0 : 1;
  } catch (error) {
    if (!requests.stop.aborted) throw error;
    terminal.say('Stopped before the end.');
    return requests.exitCode();
  } finally {
    requests.release();
  }
}

class Soak {
  readonly #terminal: Terminal;
  readonly #options: SoakOptions & { readonly seed: number };
  readonly #disasters: Disasters;
  readonly #state: string;
  readonly #record: string;
  readonly #stop: AbortSignal;
  readonly #startedAt = new Date();
  readonly #done: Done[] = [];
  readonly #pids = new Set<number>();
  /** Services are started with faults. */
  #isArmed = false;

  constructor(terminal: Terminal, options: SoakOptions & { seed: number }, folder: string, stop: AbortSignal) {
    this.#terminal = terminal;
    this.#options = options;
    this.#disasters = new Disasters(options.seed);
    this.#state = join(folder, 'stack');
    this.#record = join(folder, `fired-${options.seed}-${this.#startedAt.getTime()}.ndjson`);
    this.#stop = stop;
  }

  async run(kill: AbortSignal): Promise<SoakFacts> {
    const stack = await LocalStack.start({
      state: this.#state,
      fresh: true,
      workers: 2,
      supervise: true,
      backoffMs: 100,
      environment: (service) => this.#environmentOf(service),
      onEvent: (event) => {
        if (event.kind === 'started') this.#pids.add(event.pid);
      },
      stop: this.#stop,
      kill,
    });
    let stopped: Promise<void> | undefined;
    try {
      const client = new Client({ url: stack.url, token: await stack.token() });
      const undisturbed = await this.#undisturbed(client);
      const { ids, problems } = await this.#disturbed(stack, client);
      const experiments: SoakFacts['experiments'][number][] = [];
      for (const [number, id] of ids.entries()) {
        const reference = undisturbed[number % KINDS];
        if (reference === undefined) throw new Error(`There is no undisturbed run of the kind of experiment ${number}`);
        experiments.push(factsOf(await this.#insist(async () => await readEnded(client, id, this.#stop)), reference));
      }
      const left = await this.#insist(async () => await leftovers(stack, client));
      stopped = stack.stop();
      await stopped;
      left.push(...(await processesLeft(this.#state, this.#pids)));
      const wrong = [
        ...problems,
        ...left,
        ...experiments.flatMap(({ id, problems: own }) => own.map((text) => `${id}: ${text}`)),
      ];
      return {
        version: 1,
        passed: wrong.length === 0,
        seed: this.#options.seed,
        startedAt: this.#startedAt.toISOString(),
        totalSeconds: (Date.now() - this.#startedAt.getTime()) / 1000,
        problems: wrong,
        disasters: this.#done,
        faults: readFired(this.#record),
        experiments,
      };
    } finally {
      await (stopped ?? stack.stop());
    }
  }

  #environmentOf(service: ServiceName): Record<string, string | undefined> {
    const { DATABASE_URL } = process.env;
    const usual = { ...hermetic(this.#options.state), DATABASE_URL, LONGRUN_HEARTBEAT_MS: '500' };
    if (!this.#isArmed) return usual;
    return {
      ...usual,
      LONGRUN_FAULT_POINTS: this.#disasters.drawFaults(service),
      LONGRUN_FAULT_RECORD: this.#record,
    };
  }

  async #undisturbed(client: Client): Promise<Ended[]> {
    const file = join(findInstallation().root, 'examples', 'fashion-mnist.yaml');
    const submission = await readSpecFile(file);
    if (submission.kind !== 'dataset') throw new Error(`${file} is not a dataset`);
    const { id: datasetId } = await this.#insist(
      async () => await client.datasets.submit(submission.spec, { idempotencyKey: 'dataset' }),
    );
    const dataset = async () => await this.#insist(async () => await client.datasets.get(datasetId));
    while (!isTerminalDataset((await dataset()).status)) await this.#pause(200);
    const ids: string[] = [];
    for (let kind = 0; kind < KINDS; kind += 1) ids.push(await this.#submit(client, kind, `undisturbed-${kind}`));
    const ended: Ended[] = [];
    for (const id of ids) {
      const view = async () => await this.#insist(async () => await client.experiments.get(id));
      while (!isTerminal((await view()).status)) await this.#pause(200);
      ended.push(await this.#insist(async () => await readEnded(client, id, this.#stop)));
    }
    for (const one of ended) {
      const [problem] = wrongs(one, one);
      if (problem !== undefined) throw new Error(`The undisturbed run ${one.view.id}: ${problem}`);
    }
    this.#terminal.say(`${KINDS} undisturbed runs done; now the disasters`);
    return ended;
  }

  /** Submits the experiments while disasters are done, and resolves when all have ended or nothing moves any more. */
  async #disturbed(stack: LocalStack, client: Client): Promise<{ ids: string[]; problems: string[] }> {
    const { minutes, experiments } = this.#options;
    const since = performance.now();
    const timeMs = minutes * 60_000;
    const calm = new AbortController();
    const signal = AbortSignal.any([calm.signal, this.#stop]);
    this.#isArmed = true;
    const disasters = doDisasters(stack, this.#disasters, { signal, onDone: (done) => void this.#done.push(done) });
    const endOfDisasters = setTimeout(() => {
      this.#isArmed = false;
      calm.abort();
    }, timeMs);
    try {
      const ids: string[] = [];
      for (const [number, share] of this.#disasters.drawSubmissions(experiments).entries()) {
        await this.#pause(Math.max(0, share * timeMs * SUBMISSIONS_SHARE - (performance.now() - since)));
        ids.push(await this.#submit(client, number % KINDS, `soak-${number}`));
      }
      const stuck = await this.#untilEnded(client, ids, calm.signal);
      return { ids, problems: stuck.map((id) => `${id}: it has not ended, and nothing moves`) };
    } finally {
      clearTimeout(endOfDisasters);
      this.#isArmed = false;
      calm.abort();
      await disasters;
    }
  }

  /** Resolves with those that have not ended when, after the disasters, none of them has moved for long. */
  async #untilEnded(client: Client, ids: readonly string[], calm: AbortSignal): Promise<readonly string[]> {
    let unfinished = ids;
    let seen = '';
    for (let looksWithoutMove = 0; unfinished.length > 0 && looksWithoutMove < STUCK_LOOKS; looksWithoutMove += 1) {
      const views: ExperimentView[] = [];
      for (const id of unfinished) views.push(await this.#insist(async () => await client.experiments.get(id)));
      const left = views.filter(({ status }) => !isTerminal(status));
      if (left.length < unfinished.length)
        this.#terminal.say(`${ids.length - left.length} of ${ids.length} ended, ${this.#done.length} disasters`);
      unfinished = left.map(({ id }) => id);
      const now = JSON.stringify(left.map(({ status, attempts, progress }) => [status, attempts, progress]));
      if (now !== seen || !calm.aborted) looksWithoutMove = 0;
      seen = now;
      await this.#pause(1_000);
    }
    return unfinished;
  }

  /** Submits an experiment, once, and answers its id. */
  async #submit(client: Client, kind: number, name: string): Promise<string> {
    return (
      await this.#insist(
        async () => await client.experiments.submit(smallExperiment(kind, name), { idempotencyKey: name }),
      )
    ).id;
  }

  /** A request, made again while the API is away. */
  async #insist<T>(request: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await request();
      } catch (error) {
        if (!(error instanceof ApiUnreachable)) throw error;
        await this.#pause(300);
      }
    }
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stop });
  }
}

/** The part of the time in which experiments are submitted. */
const SUBMISSIONS_SHARE = 0.7;
/** Looks, a second or more apart, at which nothing has moved. */
const STUCK_LOOKS = 180;

function factsOf(ended: Ended, undisturbed: Ended): SoakFacts['experiments'][number] {
  const { view, rows } = ended;
  return {
    id: view.id,
    status: view.status,
    parametersSha256: view.result?.parametersSha256 ?? null,
    logRows: rows.length,
    attempts: view.attempts.map(({ fence, reason, startStep, lastStep }) => ({ fence, reason, startStep, lastStep })),
    problems: wrongs(ended, undisturbed),
  };
}
