import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import {
  acquireLease,
  CheckpointStore,
  openObjectStore,
  type Lease,
  LeaseLost,
  type Manifest,
  newestLog,
  newestManifest,
  readHead,
} from '../src/index.js';
import { entriesOf, rowsOfSteps, writeLogFile } from './log-of.js';
import { writeSnapshotFiles } from './snapshot-folder.js';
import { UnreliableStore } from './unreliable-store.js';

const PREFIX = 'experiments/exp_1';

/** What may happen to an experiment and its log. */
const happenings = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('train' as const), steps: fc.integer({ min: 1, max: 9 }) }),
    fc.record({ kind: fc.constant('commit' as const), times: fc.constantFrom<number>(1, 1, 2, 9) }),
    fc.record({
      kind: fc.constant('commitFails' as const),
      method: fc.constantFrom('put', 'compareAndSet', 'delete', 'get'),
      when: fc.constantFrom('before' as const, 'after' as const),
    }),
    fc.record({ kind: fc.constant('takeover' as const), zombieCommits: fc.boolean() }),
    fc.record({ kind: fc.constant('end' as const), fails: fc.constantFrom('not', 'before', 'after') }),
    fc.record({ kind: fc.constantFrom('damageParameters' as const, 'damageCopies' as const) }),
  ),
  { minLength: 1, maxLength: 16 },
);
type Happening = typeof happenings extends fc.Arbitrary<(infer E)[]> ? E : never;

test('whatever happens, the log of each checkpoint is that of an undisturbed run up to its step, and that of an attempt that ended up to its end', async () => {
  const whatever = fc.asyncProperty(fc.integer({ min: 1, max: 3 }), happenings, async (keepLast, events) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'log-'));
    try {
      const run = await Run.start(folder, keepLast);
      for (const event of events) {
        await run.play(event);
        await run.check();
      }
      // Merges of any size come to pass in the end.
      await run.play({ kind: 'commit', times: 20 });
      await run.check();
    } finally {
      await rm(folder, { recursive: true });
    }
  });
  // What happens is drawn, and each has to come to pass.
  for (let round = 1; round === 1 || (round <= MOST_ROUNDS && Object.values(seen).includes(0)); round += 1)
    await fc.assert(whatever, { numRuns: 16 });
  // The faults fired.
  for (const [what, times] of Object.entries(seen)) expect([what, times > 0]).toEqual([what, true]);
});

/** Of 16 runs each: far more than it takes. */
const MOST_ROUNDS = 12;

/** How often something came to pass that a log has to survive. */
const seen = {
  endsKept: 0,
  rejections: 0,
  lostLeases: 0,
  failedCommits: 0,
  lostAnswers: 0,
  merges: 0,
  copiesPassedOver: 0,
};

/** An experiment that is trained by one worker after the other. */
class Run {
  readonly #folder: string;
  readonly #store: UnreliableStore;
  readonly #keepLast: number;
  #lease: Lease;
  #checkpoints: CheckpointStore;
  /** Where training is, and up to where its rows were committed. */
  #step = 0;
  #committed = 0;
  /** Up to where an attempt that ended has left its rows, until there is a later checkpoint. */
  #left: number | undefined;

  private constructor(folder: string, store: UnreliableStore, keepLast: number, lease: Lease) {
    this.#folder = folder;
    this.#store = store;
    this.#keepLast = keepLast;
    this.#lease = lease;
    this.#checkpoints = new CheckpointStore(store, PREFIX, { keepLast });
  }

  static async start(folder: string, keepLast: number): Promise<Run> {
    const store = new UnreliableStore(await openObjectStore(`file:${path.join(folder, 'objects')}`));
    return new Run(folder, store, keepLast, await acquireLease(store, PREFIX, { fence: 1, holder: 'worker' }));
  }

  async play(event: Happening): Promise<void> {
    switch (event.kind) {
      case 'train':
        this.#step += event.steps;
        break;
      case 'commit':
        for (let time = 0; time < event.times; time += 1) {
          await this.#commit(this.#checkpoints, this.#lease);
          this.#committed = this.#step;
          this.#step += 1;
        }
        break;
      case 'commitFails':
        await this.#commitFailing(event);
        break;
      case 'takeover':
        await this.#takeover(event.zombieCommits);
        break;
      case 'end':
        await this.#end(event.fails);
        break;
      case 'damageParameters':
        await this.#damage((await newestManifest(this.#store, PREFIX))?.files.map(({ blobKey }) => blobKey));
        await this.#takeover(false);
        break;
      case 'damageCopies':
        await this.#damage((await newestManifest(this.#store, PREFIX))?.log.map(({ keys }) => keys[0]));
        break;
      default:
        throw new Error(`no such happening: ${JSON.stringify(event satisfies never)}`);
    }
  }

  async check(): Promise<void> {
    const last = this.#left ?? (await newestManifest(this.#store, PREFIX))?.step ?? 0;
    expect(await entriesOf(this.#store, await newestLog(this.#store, PREFIX))).toEqual(rowsOfSteps(1, last));
    for (const { manifestKey, step } of (await readHead(this.#store, PREFIX))?.checkpoints ?? []) {
      const bytes = await this.#store.get(manifestKey);
      const manifest = JSON.parse(Buffer.from(bytes ?? []).toString()) as Manifest;
      const entries = await entriesOf(this.#store, manifest, () => (seen.copiesPassedOver += 1));
      expect(entries).toEqual(rowsOfSteps(1, step));
    }
  }

  /** Commits what was trained, as often as it takes. */
  async #commitFailing({ method, when }: Extract<Happening, { kind: 'commitFails' }>): Promise<void> {
    const error = new Error('the network is down');
    // The first time a segment is asked for, it is neither copy that answers.
    for (let copy = 1; copy <= (method === 'get' ? 2 : 1); copy += 1) this.#store.failNext({ method, when, error });
    // Each of what fails may end an attempt of its own.
    for (let isCommitted = false; !isCommitted;) {
      try {
        await this.#commit(this.#checkpoints, this.#lease);
        isCommitted = true;
      } catch (caught) {
        expect(caught).toBe(error);
        seen.failedCommits += 1;
        if (method === 'compareAndSet' && when === 'after') seen.lostAnswers += 1;
        // As where there is no room, after which it is known what the head has.
        await this.#lease.exclusive(async () => await this.#lease.reread());
      }
    }
    this.#store.forgetFaults();
    this.#committed = this.#step;
  }

  /** The attempt ends without a checkpoint, and another one goes on from the last. */
  async #end(fails: string): Promise<void> {
    const rows = rowsOfSteps(this.#committed + 1, this.#step);
    const files = rows.length === 0 ? [] : await writeLogFile(path.join(this.#folder, 'rows'), 'rest', rows);
    const error = new Error('the network is down');
    if (fails === 'before' || fails === 'after') this.#store.failNext({ method: 'compareAndSet', when: fails, error });
    await this.#checkpoints.keepLog(this.#lease, files).catch(async (caught: unknown) => {
      expect(caught).toBe(error);
      seen.failedCommits += 1;
      await this.#checkpoints.keepLog(this.#lease, files);
    });
    this.#store.forgetFaults();
    this.#left = rows.length === 0 ? undefined : this.#step;
    if (rows.length > 0) seen.endsKept += 1;
    await this.#takeover(false);
  }

  async #takeover(zombieCommits: boolean): Promise<void> {
    const zombie = { checkpoints: this.#checkpoints, lease: this.#lease };
    this.#lease = await acquireLease(this.#store, PREFIX, { fence: zombie.lease.fence + 1, holder: 'worker' });
    this.#checkpoints = new CheckpointStore(this.#store, PREFIX, { keepLast: this.#keepLast });
    const restored = await this.#checkpoints.newestValid(path.join(this.#folder, 'restored'));
    seen.rejections += restored.rejected.length;
    if (zombieCommits) {
      await expect(this.#commit(zombie.checkpoints, zombie.lease)).rejects.toThrow(LeaseLost);
      seen.lostLeases += 1;
    }
    this.#step = this.#committed = restored.manifest?.step ?? 0;
  }

  async #commit(checkpoints: CheckpointStore, lease: Lease): Promise<void> {
    const contents = { parameters: `those of step ${this.#step}` };
    const snapshot = await writeSnapshotFiles(path.join(this.#folder, 'snapshots'), this.#step, contents);
    const rows = rowsOfSteps(this.#committed + 1, this.#step);
    const log = await writeLogFile(path.join(this.#folder, 'rows'), 'rows', rows);
    const manifest = await checkpoints.commit(lease, { ...snapshot, log }).finally(async () => checkpoints.settled());
    this.#left = undefined;
    if (manifest.log.some((segment) => segment.rows > 9 * 2)) seen.merges += 1;
  }

  /** Flips a bit of each object. */
  async #damage(keys: readonly string[] = []): Promise<void> {
    for (const key of keys) {
      const file = path.join(this.#folder, 'objects', key);
      const bytes = await readFile(file);
      bytes[0] = (bytes[0] ?? 0) ^ 1;
      await writeFile(file, bytes);
    }
  }
}
