import { randomInt } from 'node:crypto';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ExperimentView, type Hyperparameters, ResolvedExperiment, type StoredLogRow } from '@longrun/contracts';
import { isRunning, publishModule, until } from '@longrun/platform/testing';
import {
  isReleased,
  newestManifest,
  type ReadOptions,
  readFired,
  StoreAround,
  type StoreOperation,
  type TransferOptions,
} from '@longrun/serialization';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Gate } from './gate.js';
import { LIBRARIES, World } from './world.js';

/** 2 epochs of 30 batches. */
const params = { epochs: 2 };
const LAST_STEP = 60;

let world: World;
let undisturbed: { experiment: ExperimentView; rows: StoredLogRow[]; table: string };

beforeAll(async () => {
  world = await World.begin();
  await world.worker();
  const id = await world.submit(params);
  undisturbed = { experiment: await world.whenEnded(id), rows: await world.rows(id), table: await writtenTable(id) };
});

afterAll(async () => {
  await world.end();
});

async function expectAsUndisturbed(id: string): Promise<void> {
  const experiment = await world.whenEnded(id);
  expect(experiment.message).toBe(null);
  expect(experiment.status).toBe('succeeded');
  expect(experiment.result).toEqual(undisturbed.experiment.result);
  expect(await world.rows(id)).toEqual(undisturbed.rows);
  expect(await writtenTable(id)).toBe(undisturbed.table);
}

/** What the program wrote to its file `batches.csv`, as the newest checkpoint has it. */
async function writtenTable(id: string): Promise<string> {
  const text = async (key: string): Promise<string> => Buffer.from((await world.store.get(key)) ?? []).toString();
  const [newest] = (await world.head(id)).checkpoints;
  const { files } = JSON.parse(await text(newest?.manifestKey ?? '')) as { files: { name: string; blobKey: string }[] };
  return await text(files.find(({ name }) => name === 'output.batches.csv')?.blobKey ?? '');
}

/** An experiment that waits in the middle, at a step that is neither among the first nor among the last, for its gate to be opened. */
async function caught(checkpoint?: { readonly everyBatches: number }): Promise<{ id: string; gate: Gate }> {
  const gate = await Gate.make();
  const step = randomInt(8, LAST_STEP - 12);
  const spec = checkpoint === undefined ? {} : { checkpoint };
  const id = await world.submit({ ...params, holds: [gate.after(step)] }, spec);
  // The row of the step itself is finished by the next one.
  await world.whenLogged(id, step - 1);
  return { id, gate };
}

test('an undisturbed run trains to the end, with a log row for every step', () => {
  const { experiment, rows } = undisturbed;
  expect(experiment).toMatchObject({ status: 'succeeded', failures: 0, preemptions: 0 });
  expect(experiment.attempts).toHaveLength(1);
  expect(experiment.attempts[0]).toMatchObject({
    reason: 'succeeded',
    startStep: 0,
    lastStep: LAST_STEP,
    stepsRun: LAST_STEP,
  });
  expect(experiment.attempts[0]?.peakMemoryBytes).toBeGreaterThan(30e6);
  // Row 0 is the test set before the first batch.
  expect(rows.map((row) => row.step)).toEqual(Array.from({ length: LAST_STEP + 1 }, (_, step) => step));
  expect(experiment.result?.lastRow).toEqual(rows.at(-1)?.row);
  expect(Number(rows.at(-1)?.row['test_error'])).toBeLessThan(0.6);
  expect(experiment.checkpoints.map((checkpoint) => checkpoint.step)).toContain(LAST_STEP);
  expect(undisturbed.table.split('\n')).toHaveLength(LAST_STEP + 2);
});

test('a worker that is killed with a snapshot in its hands changes nothing but the number of attempts, and is no matter of patience', async () => {
  await world.endProcesses();
  // Else the platform, started again, would take it for one that is there.
  await until(async () => (await world.platform.workers.list()).items.every(({ alive }) => !alive));
  await world.platform.close();
  await world.startAgain(3_600_000);
  const record = join(world.folder, 'killed.ndjson');
  const faults = { LONGRUN_FAULT_POINTS: 'snapshot.handed-over=kill@3', LONGRUN_FAULT_RECORD: record };
  const worker = await world.newWorker(faults);
  const id = await world.submit(params);
  await until(() => worker.childPid() !== undefined);
  const trainer = worker.childPid();
  expect(await worker.exited).toBe('SIGKILL');
  expect(readFired(record)).toMatchObject([{ point: 'snapshot.handed-over', passage: 3, pid: worker.pid }]);
  // The trainer notices by itself that its worker has gone.
  await until(() => !isRunning(trainer ?? 0));

  const newest = (await world.head(id)).checkpoints[0];
  expect(newest?.step).toBe(14);
  await world.worker();
  await expectAsUndisturbed(id);
  const { attempts, preemptions, failures } = await world.platform.experiments.get(id);
  expect(attempts.map((attempt) => attempt.reason)).toEqual(['worker_lost', 'succeeded']);
  expect(attempts[0]?.message).toMatch(/^The process of worker-gpu-.* has ended/);
  expect(attempts[1]).toMatchObject({ startStep: 14, restoredFrom: newest?.manifestKey });
  expect({ preemptions, failures }).toEqual({ preemptions: 1, failures: 0 });
  await world.platform.close();
  await world.startAgain();
});

test('SIGTERM gives the experiment back without losing a step', async () => {
  const worker = await world.worker();
  const { id, gate } = await caught({ everyBatches: 1000 });
  worker.signal('SIGTERM');
  // From the terminal and from the parent: the second one changes nothing.
  worker.signal('SIGINT');
  expect(await worker.exited).toBe(0);
  expect(isReleased(await world.head(id))).toBe(true);

  const preempted = await world.when(id, ({ attempts }) => attempts[0]?.reason !== null);
  expect(preempted.attempts[0]).toMatchObject({ reason: 'preempted', startStep: 0 });
  await gate.open();
  await world.worker();
  await expectAsUndisturbed(id);
  const { attempts, preemptions, failures } = await world.platform.experiments.get(id);
  expect(attempts.map((attempt) => attempt.reason)).toEqual(['preempted', 'succeeded']);
  expect(attempts[0]?.stepsRun).toBeGreaterThan(0);
  expect(attempts[1]?.startStep).toBe(attempts[0]?.lastStep);
  expect((attempts[0]?.stepsRun ?? 0) + (attempts[1]?.stepsRun ?? 0)).toBe(LAST_STEP);
  expect({ preemptions, failures }).toEqual({ preemptions: 1, failures: 0 });
});

test('a run that is preempted on request, then paused and resumed, loses no step, and its worker goes on', async () => {
  await world.worker();
  const { id, gate } = await caught({ everyBatches: 1000 });
  await world.platform.verbs.preempt(id);
  const preempted = await world.when(id, ({ attempts }) => attempts[0]?.reason !== null);
  expect(preempted.attempts[0]).toMatchObject({ reason: 'preempted', message: 'Preempted on request', startStep: 0 });
  await world.when(id, ({ attempts }) => attempts[1]?.startStep === attempts[0]?.lastStep);
  await world.platform.verbs.pause(id);
  await world.when(id, ({ status }) => status === 'paused');
  expect(isReleased(await world.head(id))).toBe(true);
  await world.platform.verbs.resume(id);
  await gate.open();
  await expectAsUndisturbed(id);
  const { attempts, preemptions, failures } = await world.platform.experiments.get(id);
  expect(attempts.map((attempt) => attempt.reason)).toEqual(['preempted', 'paused', 'succeeded']);
  expect(attempts[2]?.startStep).toBe(attempts[1]?.lastStep);
  expect({ preemptions, failures }).toEqual({ preemptions: 1, failures: 0 });
});

test('a trainer that somebody kills is a loss and no failure, and its worker goes on where it is the only one', async () => {
  const worker = await world.worker();
  const { id, gate } = await caught();
  const trainer = worker.childPid();
  expect(trainer).toBeDefined();
  process.kill(trainer ?? 0, 'SIGKILL');
  await gate.open();

  await expectAsUndisturbed(id);
  const { attempts, failures, preemptions } = await world.platform.experiments.get(id);
  expect(attempts.map((attempt) => attempt.reason)).toEqual(['trainer_killed', 'succeeded']);
  expect(attempts[0]?.message).toContain('ended with SIGKILL from outside');
  expect(attempts[1]?.workerId).toBe(attempts[0]?.workerId);
  expect({ failures, preemptions }).toEqual({ failures: 0, preemptions: 1 });
});

test('a worker that slept while another took over cannot commit, and its events are refused', async () => {
  const sleeper = await world.worker();
  const { id, gate } = await caught();
  const trainer = sleeper.childPid();
  sleeper.signal('SIGSTOP');
  await gate.open();
  await world.missWorkerOf(id);

  const successor = await world.newWorker();
  await expectAsUndisturbed(id);
  const head = await world.head(id);
  expect(head.holder).toContain(String(successor.pid));
  const refusedBefore = world.platform.eventCounts.refused;

  sleeper.signal('SIGCONT');
  await until(
    () => sleeper.lines.some((line) => line.includes('lost its lease')),
    () => sleeper.output,
  );
  await until(() => world.platform.eventCounts.refused > refusedBefore);
  expect(trainer).toBeDefined();
  await until(() => !isRunning(trainer ?? 0));
  expect(await world.head(id)).toEqual(head);
  await expectAsUndisturbed(id);
  const { attempts } = await world.platform.experiments.get(id);
  expect(attempts.map((attempt) => attempt.reason)).toEqual(['worker_lost', 'succeeded']);
  await world.endProcesses();
});

test('a run survives a Redis that loses all it has', async () => {
  await world.worker();
  const { id, gate } = await caught();
  await world.redis.restart();
  await gate.open();
  await expectAsUndisturbed(id);
  expect((await world.platform.experiments.get(id)).attempts).toHaveLength(1);
});

test('a run goes on with its own program, whatever was published under the name meanwhile, and with no other', async () => {
  const worker = await world.worker();
  const { id, gate } = await caught();
  const { programSha256 } = await world.platform.experiments.get(id);
  const other = await publishModule(world.platform, 'digits', 'throw new Error("another program");');
  worker.signal('SIGKILL');
  await worker.exited;
  await gate.open();
  await world.worker();
  await expectAsUndisturbed(id);
  expect(await world.platform.experiments.get(id)).toMatchObject({ programSha256, spec: { program: 'digits' } });
  const manifest = await newestManifest(world.store, `experiments/${id}`);
  expect(manifest?.programSha256).toBe(programSha256);
  // The one that is the newest is what a new run gets, and the older one is there by its hash.
  const newer = await world.submit(params, { retry: { maxFailures: 0 } });
  expect(await world.whenEnded(newer)).toMatchObject({ programSha256: other, reason: 'program_error' });
  const older = await world.submit(params, { program: `digits@${programSha256?.slice(0, 8)}` });
  expect(await world.platform.experiments.get(older)).toMatchObject({ programSha256, name: 'digits' });
  await expectAsUndisturbed(older);
  await world.publishProgram('digits');
});

test('a checkpoint is not gone on from with another program than its own, and is left as it is', async () => {
  const worker = await world.worker();
  const { id, gate } = await caught();
  worker.signal('SIGTERM');
  await worker.exited;
  await gate.open();
  const { checkpoints } = await world.head(id);
  const stop = await world.localWorker({ workerId: 'deceived', store: new OtherProgram(world.store) });
  const { status, attempts } = await world.when(id, (view) =>
    view.attempts.some(({ reason }) => reason === 'checkpoint_unreadable'),
  );
  await stop();
  expect(attempts.find(({ reason }) => reason === 'checkpoint_unreadable')?.message).toContain(
    `gone on from with ${OTHER}`,
  );
  expect(status).not.toBe('succeeded');
  expect((await world.head(id)).checkpoints).toEqual(checkpoints);
  await world.worker();
  await expectAsUndisturbed(id);
});

test('a run goes on with other libraries that read its state, and who looks at it is told which', async () => {
  const worker = await world.worker();
  const { id, gate } = await caught();
  worker.signal('SIGTERM');
  await worker.exited;
  await gate.open();
  const folder = join(world.folder, 'libraries');
  await withVersions(folder, { blocks: '0.2.0-next' });
  const stop = await world.localWorker({ workerId: 'updated', libraries: folder });
  await expectAsUndisturbed(id);
  await stop();
  const { attempts } = await world.platform.experiments.get(id);
  const [before, after] = attempts.map(({ libraries }) => libraries);
  expect(Object.keys(before ?? {}).toSorted()).toEqual(
    ['blocks', 'fuel', 'serialization', 'tensor'].map((name) => `@longrun/${name}`),
  );
  expect(after).toEqual({ ...before, '@longrun/blocks': '0.2.0-next' });
  const was = before?.['@longrun/blocks'];
  const begun = (await world.events(id)).flatMap((event) => (event.type === 'attempt_started' ? [event.data] : []));
  expect(begun.map(({ librariesChanged }) => librariesChanged)).toEqual([
    [],
    [{ name: '@longrun/blocks', version: '0.2.0-next', was }],
  ]);
  const resolved = ResolvedExperiment.parse(
    JSON.parse(Buffer.from((await world.store.get(`experiments/${id}/spec.json`)) ?? []).toString()),
  );
  expect(resolved.program?.libraries).toMatchObject({ '@longrun/blocks': was });
  const manifest = await newestManifest(world.store, `experiments/${id}`);
  expect(manifest).toMatchObject({
    programSha256: resolved.program?.sha256,
    datasets: { train: resolved.datasets['train']?.sha256 },
    libraries: after,
  });
});

/** Makes a folder of the libraries of this checkout, of which some say that they have another version. */
async function withVersions(folder: string, versions: Readonly<Record<string, string>>): Promise<void> {
  for (const name of ['blocks', 'contracts', 'fuel', 'platform', 'serialization', 'tensor']) {
    const library = join(LIBRARIES, name);
    const version = versions[name];
    await mkdir(folder, { recursive: true });
    if (version === undefined) {
      await symlink(library, join(folder, name));
      continue;
    }
    await mkdir(join(folder, name));
    const description: object = JSON.parse(await readFile(join(library, 'package.json'), 'utf8'));
    await writeFile(join(folder, name, 'package.json'), JSON.stringify({ ...description, version }));
    // What Node imports by a link is what the link leads to: the same modules as in the trainer.
    await symlink(join(library, 'dist'), join(folder, name, 'dist'));
  }
}

test('hyperparameters that are set while it trains are set again at the same steps by whoever trains them again', async () => {
  const gates = [await Gate.make(), await Gate.make()];
  const holds = gates.map((gate, index) => gate.after([20, 55][index] ?? 0));
  const set = async (hyperparameters: Hyperparameters): Promise<ExperimentView> =>
    await world.platform.hyperparameters.set(id, hyperparameters);

  const worker = await world.worker();
  const id = await world.submit({ ...params, holds, pauseMs: 30 }, { checkpoint: { everyBatches: 1000 } });
  await world.whenLogged(id, 19);
  expect((await set({ learning_rate: 0.05 })).settings).toMatchObject([{ number: 1, step: null }]);
  await gates[0]?.open();
  // It gets there while training goes on.
  const { settings } = await world.when(id, (view) => typeof view.settings[0]?.step === 'number');
  const step = settings[0]?.step ?? 0;
  expect(step).toBeGreaterThan(20);
  await world.whenLogged(id, 54);
  worker.signal('SIGKILL');
  await worker.exited;
  await set({ 'adam.beta1': 0.8, epsilon: 1e-6 });
  await gates[1]?.open();
  await world.worker();
  const experiment = await world.whenEnded(id);
  expect(experiment.attempts.map(({ startStep }) => startStep)).toEqual([0, 0]);
  expect(experiment.settings).toMatchObject([
    { number: 1, values: { 'adam.learning_rate': 0.05 }, step },
    { number: 2, values: { 'adam.beta1': 0.8, 'adam.epsilon': 1e-6 }, step },
  ]);
  expect(experiment.result).not.toEqual(undisturbed.experiment.result);
  const rows = await world.rows(id);
  expect(rows[step]?.row).toMatchObject({ 'adam.learning_rate': 0.05, 'adam.epsilon': 1e-6 });

  // Who runs it once more is not disturbed, and has nobody who asks for it at the right time.
  const { experiment: again } = await world.platform.experiments.reproduce(id);
  const undisturbedOne = await world.whenEnded(again.id);
  expect(undisturbedOne.settings).toMatchObject(experiment.settings.map(({ at: _at, ...one }) => one));
  expect(undisturbedOne.result).toEqual(experiment.result);
  expect(await world.rows(again.id)).toEqual(rows);
  const { signal } = new AbortController();
  expect(await world.platform.comparisons.compare(id, again.id, { signal })).toMatchObject({ verdict: 'identical' });
});

const OTHER = 'f'.repeat(64);

/** Has workers run another program than an experiment has. */
class OtherProgram extends StoreAround {
  override async get(key: string, options?: ReadOptions): Promise<Uint8Array | undefined> {
    const bytes = await super.get(key, options);
    if (bytes === undefined || !key.endsWith('/spec.json')) return bytes;
    const spec = ResolvedExperiment.parse(JSON.parse(Buffer.from(bytes).toString()));
    return Buffer.from(JSON.stringify({ ...spec, program: { ...spec.program, sha256: OTHER } }));
  }

  protected override async around<T>(
    _operation: StoreOperation,
    options: TransferOptions,
    perform: (options: TransferOptions) => Promise<T>,
  ): Promise<T> {
    return await perform(options);
  }
}
