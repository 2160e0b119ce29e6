import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ExperimentSpec, type ExperimentSpecInput, type TrainerCommand, TrainerMessage } from '@longrun/contracts';
import { bundleProgram, layOutProgram } from '@longrun/platform/programs';
import { pidOf, until } from '@longrun/platform/testing';
import { type ChildExit, SupervisedChild } from '@longrun/platform/worker';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { writeDigits } from './dataset.js';
import { LIBRARIES } from './world.js';

/** However busy the machine is. */
const LONG_ENOUGH_MS = 300_000;

let folder: string;
let programFile: string;
const trainers: TrainerUnderTest[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longrun-trainer-'));
  await writeDigits(join(folder, 'digits.hdf5'));
  const { module } = await bundleProgram(fileURLToPath(new URL('programs/digits.js', import.meta.url)));
  programFile = await layOutProgram(join(folder, 'program'), module, LIBRARIES);
});

afterEach(async () => {
  for (const trainer of trainers.splice(0)) await trainer.child.kill();
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

/** A real trainer process, with no worker, Redis or object store about. */
class TrainerUnderTest {
  readonly messages: TrainerMessage[] = [];
  readonly lines: string[] = [];
  /** Steps done, as its watchdog has counted them at each beat. */
  readonly beats: number[] = [];
  /** Whether its snapshots are said to be committed as they come. */
  commits = false;
  readonly child = new SupervisedChild({
    script: fileURLToPath(new URL('../dist/trainer.js', import.meta.url)),
    onMessage: (json) => {
      const message = TrainerMessage.parse(json);
      this.messages.push(message);
      if (message.type === 'snapshot' && this.commits) this.tell({ type: 'snapshot_committed', name: message.name });
    },
    onLine: (_stream, text) => this.lines.push(text),
    onBeat: ({ steps }) => this.beats.push(steps),
  });

  tell(command: TrainerCommand): void {
    this.child.send(command);
  }

  /** Waits until it stands between two steps and does none from one beat to the next. The number of those that it has done. */
  async isHeld(): Promise<number> {
    for (;;) {
      const before = this.beats.length;
      const place = (await this.child.whereabouts(LONG_ENOUGH_MS))?.place;
      await until(() => this.beats.length > before + 1);
      const [one, other] = this.beats.slice(-2);
      if (place === 'callback afterBatch of WorkerWatch' && other !== undefined && one === other) return other;
    }
  }

  /** Waits for the first message of a type. What it says when none comes tells last where the trainer stands: reports are cut. */
  async hears<T extends TrainerMessage['type']>(type: T): Promise<Extract<TrainerMessage, { type: T }>> {
    const found = () => this.messages.find((one): one is Extract<TrainerMessage, { type: T }> => one.type === type);
    let exit: ChildExit | undefined;
    void this.child.exited.then((how) => (exit = how));
    const silence = await until(() => found() !== undefined || exit !== undefined).catch((error: unknown) => error);
    const message = found();
    if (message !== undefined) return message;
    const said = this.messages.slice(-12).map((one) => ('step' in one ? `${one.type} ${one.step}` : one.type));
    const stands = exit ?? (await this.child.whereabouts(LONG_ENOUGH_MS));
    throw new Error(
      `${this.lines.join('\n')}\nThe trainer said ${said.join(', ')} and no ${type}; it stands at ${JSON.stringify(stands)}`,
      { cause: silence },
    );
  }
}

function start(
  name: string,
  resources: ExperimentSpecInput['resources'],
  checkpointFolder: string | null,
): TrainerUnderTest {
  const trainer = new TrainerUnderTest();
  trainers.push(trainer);
  trainer.tell({
    type: 'assignment',
    experimentId: 'exp_test',
    fence: 1,
    spec: ExperimentSpec.parse({
      program: 'digits',
      dataset: 'digits',
      params: { pauseMs: 10 },
      checkpoint: { everyBatches: 5 },
      resources,
    }),
    datasetFiles: { train: join(folder, 'digits.hdf5') },
    checkpointFolder,
    fork: null,
    workFolder: join(folder, name),
    programFile,
    settings: [],
    environment: {},
  });
  return trainer;
}

test('a stopped trainer leaves a snapshot, and one that goes on elsewhere says what may differ', async () => {
  const first = start('first', { threads: 1 }, null);
  await first.hears('snapshot');
  first.tell({ type: 'stop', snapshot: true });
  const stopped = await first.hears('stopped');
  expect(await first.child.exited).toMatchObject({ code: 0 });
  // The row of that step is told as well: perhaps nobody goes on.
  expect(first.messages.slice(-3)).toMatchObject([
    { type: 'snapshot', final: true, step: stopped.step },
    { type: 'log_row', step: stopped.step },
    { type: 'stopped' },
  ]);

  const second = start('second', { threads: 2 }, join(folder, 'first', 'snapshots', 'final'));
  second.commits = true;
  expect(await second.hears('started')).toMatchObject({
    startStep: stopped.step,
    environmentChanged: ['threads: 1 -> 2'],
  });
  const finished = await second.hears('finished');
  expect(finished.step).toBe(60);
  expect(finished.peakMemoryBytes).toBeGreaterThan(30e6);
  expect(second.lines.join('\n')).toMatch(/threads: 1 -> 2.*the last bits may differ/);
});

test('a trainer computes where its spec says and says so in the log, and where it cannot it says what there is', async () => {
  const elsewhere = start('elsewhere', { threads: 1, provider: 'tpu' }, null);
  expect(await elsewhere.hears('failed')).toMatchObject({
    reason: 'program_error',
    message: expect.stringMatching(/^The engine onnxruntime has no provider tpu; there are cpu/),
  });

  const here = start('here', { threads: 1, engine: 'reference', provider: 'cpu', device: 0 }, null);
  expect(await here.hears('started')).toMatchObject({
    engine: 'reference',
    environment: { engine: 'reference', provider: 'cpu', threads: 1 },
  });
  await expect.poll(() => here.lines).toContain('[longrun] Trains on reference/cpu.');
});

test('what a program writes to files is handed over with each snapshot, and goes on from there', async () => {
  const folderOf = (trainer: string, snapshot: { readonly name: string } | undefined) =>
    join(folder, trainer, 'snapshots', snapshot?.name ?? '');
  const table = async (snapshot: string) => await readFile(join(snapshot, 'output.batches.csv'), 'utf8');
  const killed = start('killed', { threads: 1 }, null);
  const snapshot = await killed.hears('snapshot');
  expect(snapshot.files.map(({ name }) => name)).toContain('output.batches.csv');
  const handedOver = await table(folderOf('killed', snapshot));
  expect(handedOver.split('\n')).toHaveLength(snapshot.step + 2);
  await until(() => killed.messages.some((one) => one.type === 'log_row' && one.step > snapshot.step));
  await killed.child.kill();

  const [resumed, whole] = [
    start('resumed', { threads: 1 }, folderOf('killed', snapshot)),
    start('whole', { threads: 1 }, null),
  ];
  for (const trainer of [resumed, whole]) trainer.commits = true;
  const finals: string[] = [];
  for (const [name, trainer] of Object.entries({ resumed, whole })) {
    await trainer.hears('finished');
    const last = trainer.messages.findLast((one) => one.type === 'snapshot');
    finals.push(await table(folderOf(name, last)));
  }
  expect(finals[1]?.split('\n')).toHaveLength(62);
  expect(finals[0]).toBe(finals[1]);
  expect(finals[0]?.startsWith(handedOver)).toBe(true);
});

test('a trainer whose snapshots nobody commits waits after the second', async () => {
  const trainer = start('uncommitted', { threads: 1 }, null);
  const snapshots = () => trainer.messages.flatMap((one) => (one.type === 'snapshot' ? [one] : []));
  // Training goes on to step 15, where the third is due.
  await until(() => trainer.messages.some((one) => one.type === 'log_row' && one.step === 14));
  await until(() => snapshots().length === 2);
  const [first] = snapshots();
  expect(snapshots().map(({ step }) => step)).toEqual([5, 10]);
  trainer.tell({ type: 'snapshot_committed', name: first?.name ?? '' });
  await until(() => snapshots().length === 3);
  expect(snapshots().at(-1)?.step).toBe(15);
});

test('a trainer that is held stands still until it may go on, and can be stopped', async () => {
  const trainer = start('held', { threads: 1 }, null);
  trainer.commits = true;
  const steps = () => trainer.messages.flatMap((one) => (one.type === 'log_row' ? [one.step] : []));
  await until(() => steps().includes(3));
  trainer.tell({ type: 'hold' });
  let held = await trainer.isHeld();
  // Before it has heard of it, it may stand there as whoever reads its messages is behind.
  for (let next = await trainer.isHeld(); next !== held; next = await trainer.isHeld()) held = next;
  expect(held).toBeLessThan(60);
  expect(Math.max(...steps())).toBeLessThanOrEqual(held);
  trainer.tell({ type: 'go_on' });
  await until(() => steps().includes(held + 3));

  trainer.tell({ type: 'hold' });
  trainer.tell({ type: 'stop', snapshot: true });
  // A late one changes nothing.
  trainer.tell({ type: 'hold' });
  expect((await trainer.hears('stopped')).step).toBeLessThan(60);
  expect(await trainer.child.exited).toMatchObject({ code: 0 });
});

test('a trainer that is held goes when its worker has gone', async () => {
  const trainer = start('orphan', { threads: 1 }, null);
  // It is held after its first step, however late this is heard.
  trainer.tell({ type: 'hold' });
  trainer.commits = true;
  await trainer.isHeld();
  trainer.child.disconnect();
  expect(await trainer.child.exited).toMatchObject({ signal: 'SIGKILL', killedByUs: false });
});

test('a trainer does not listen to signals, and goes when its channel is cut', async () => {
  const trainer = start('signals', { threads: 1 }, null);
  await trainer.hears('progress');
  process.kill(pidOf(trainer.child), 'SIGTERM');
  process.kill(pidOf(trainer.child), 'SIGINT');
  await trainer.hears('snapshot');
  trainer.child.disconnect();
  expect(await trainer.child.exited).toMatchObject({ signal: 'SIGKILL', killedByUs: false });
});
