import { writeSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import {
  acquireLease,
  armFaultPoints,
  CheckpointStore,
  cleanEnded,
  encodeLogEntry,
  type Lease,
  LeaseLost,
  LeaseRefused,
  type LogEntry,
  type LogFile,
  openObjectStore,
  type Snapshot,
} from '@longrun/serialization';
import type { Files, Training } from './training.js';
import type { Word } from './worker-process.js';

/** Batches from one checkpoint to the next. */
const EVERY_BATCHES = 2;
/** What a batch takes beside its computing: so there is a time between commits in which one can die. */
const BATCH_MS = 1;

/**
 * An attempt at a run, by the arguments of this process: takes the lease, goes on from the newest checkpoint, and commits one
 * after every other batch, with the rows of the examples since. On SIGTERM it has the store keep the rows that no checkpoint has,
 * and ends. Says what it does on stdout, a {@link Word} at a time, each before or after it is true.
 */
export async function runAttempt(open: (dataset: string, seed: number) => Promise<Training>): Promise<void> {
  const [url = '', prefix = '', fence = '', dataset = '', seed = '', folder = ''] = process.argv.slice(2);
  armFaultPoints(process.env, () => undefined);
  let isToRetire = false;
  process.once('SIGTERM', () => (isToRetire = true));
  const store = await openObjectStore(url);
  try {
    const lease = await acquireLease(store, prefix, { fence: Number(fence), holder: `process ${process.pid}` });
    say('leased');
    const checkpoints = new CheckpointStore(store, prefix, { keepLast: 2 });
    const run = new Run(lease, checkpoints, folder);
    // What a commit has put that comes too late is removed.
    await run.train(await open(dataset, Number(seed)), () => isToRetire).finally(() => checkpoints.settled());
  } catch (error) {
    if (error instanceof LeaseRefused && error.reason === 'already_ended') {
      // The one before was killed before it could.
      await cleanEnded(store, prefix);
      say('ended');
    } else if (error instanceof LeaseRefused || error instanceof LeaseLost) say('lost');
    else throw error;
  }
  // Whatever connections it still has.
  process.exit(0);
}

class Run {
  readonly #lease: Lease;
  readonly #checkpoints: CheckpointStore;
  readonly #folder: string;
  /** Rows that no checkpoint has. */
  #rows: readonly LogEntry[] = [];

  constructor(lease: Lease, checkpoints: CheckpointStore, folder: string) {
    this.#lease = lease;
    this.#checkpoints = checkpoints;
    this.#folder = folder;
  }

  async train(training: Training, isToRetire: () => boolean): Promise<void> {
    const { manifest, folder, rejected } = await this.#checkpoints.newestValid(join(this.#folder, 'restored'));
    if (rejected.length > 0) throw new Error(`checkpoints are damaged: ${JSON.stringify(rejected)}`);
    if (folder !== undefined) training.restore(await filesIn(folder));
    say('restored', manifest?.step ?? 0);
    for (;;) {
      const rows = await training.next();
      if (rows === undefined) break;
      this.#rows = [...this.#rows, ...rows];
      await pause(BATCH_MS);
      if (isToRetire()) {
        say('retiring');
        await this.#checkpoints.keepLog(this.#lease, await this.#writeRows(training.step));
        return;
      }
      if (training.step % EVERY_BATCHES === 0) await this.#commit(training);
    }
    await this.#commit(training, 'done');
    await this.#checkpoints.settled();
    say('settled');
  }

  async #commit(training: Training, outcome?: string): Promise<void> {
    const { step } = training;
    const snapshot = await this.#write(step, training.files());
    say('committing', step);
    await this.#checkpoints.commit(this.#lease, snapshot, outcome === undefined ? {} : { outcome });
    say('committed', step);
    this.#rows = [];
  }

  async #write(step: number, contents: Files): Promise<Snapshot> {
    const folder = join(this.#folder, `step-${step}`);
    await mkdir(folder, { recursive: true });
    const files = [...contents.keys()].map((name) => ({ name, path: join(folder, name) }));
    for (const { name, path } of files) await writeFile(path, contents.get(name) ?? '');
    return { step, environment: {}, files, log: await this.#writeRows(step) };
  }

  async #writeRows(step: number): Promise<readonly LogFile[]> {
    const path = join(this.#folder, `rows-${step}.ndjson`);
    await writeFile(path, this.#rows.map(encodeLogEntry).join(''));
    return [{ path }];
  }
}

async function filesIn(folder: string): Promise<Files> {
  const files = new Map<string, Uint8Array>();
  for (const name of await readdir(folder)) files.set(name, await readFile(join(folder, name)));
  return files;
}

/** At once, as it may be the last. */
function say(word: Word, step?: number): void {
  writeSync(1, `${word} ${step ?? ''}\n`);
}
