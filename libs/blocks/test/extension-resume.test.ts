import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { DatasetStream, ShuffledScheme } from '@longrun/fuel';
import { RandomStreams, readSafetensors, writeSafetensors } from '@longrun/serialization';
import { afterAll, beforeAll, expect, test } from 'vitest';

import * as blocks from '../src/index.js';
import {
  Adam,
  Checkpoint,
  CompositeExtension,
  CostWatch,
  DataStreamMonitoring,
  EarlyStopping,
  EpochTable,
  FinishAfter,
  FinishIfNoImprovementAfter,
  GradientDescent,
  Load,
  MainLoop,
  Outputs,
  Plot,
  PredictDataStream,
  Printing,
  ProgressBar,
  Reporting,
  restoreSnapshot,
  SharedVariableModifier,
  Timestamp,
  Timing,
  TrackTheBest,
  TrainingDataMonitoring,
  TrainingExtension,
  writeSnapshot,
  type LogRow,
} from '../src/index.js';
import { StopAt } from './stop-at.js';
import { sequential, tinyDataset, tinyExperiment, tinyModel } from './tiny-experiment.js';

let folder = '';
let pretrained = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'extension-resume-'));
  pretrained = path.join(folder, 'pretrained.safetensors');
  await writeSafetensors(pretrained, (await tinyExperiment({ seed: 9 }).arrays()).parameters);
});
afterAll(() => rm(folder, { recursive: true }));

const EXAMPLES = 22;

/** A run in one process: its rows as they are told, its prints, and its outputs in a folder of its own. */
class Process {
  readonly mainLoop: MainLoop;
  readonly outputs: Outputs;
  readonly prints: string[] = [];

  private constructor(outputs: Outputs, rows: Map<number, LogRow>, stops: readonly number[]) {
    this.outputs = outputs;
    const random = new RandomStreams(1);
    const dataset = tinyDataset(EXAMPLES);
    const { cost, misclassificationRate } = tinyModel(random);
    const stepRule = new Adam({ learningRate: 0.05 });
    const write = (text: string): void => void this.prints.push(text);
    this.mainLoop = new MainLoop({
      algorithm: new GradientDescent({ cost, stepRule }),
      dataStream: new DatasetStream(dataset, new ShuffledScheme(EXAMPLES, 4, { random: random.stream('shuffle') })),
      random,
      outputs,
      engine: 'reference',
      extensions: [
        new Load({ path: pretrained }),
        new Reporting({ onLogRow: (step, row) => void rows.set(step, timeless(row)) }),
        new TrainingDataMonitoring({ variables: [cost], prefix: 'train', afterEpoch: true, everyNBatches: 5 }),
        new DataStreamMonitoring({
          variables: [misclassificationRate, cost],
          dataStream: sequential(dataset, 8),
          prefix: 'test',
        }),
        new SharedVariableModifier(stepRule.learningRate, (iterations) => 0.05 / (1 + iterations / 10)),
        new TrackTheBest({ recordName: 'test_misclassification_rate' }),
        new FinishIfNoImprovementAfter({ notificationName: 'test_misclassification_rate_best_so_far', epochs: 9 }),
        new EarlyStopping({ recordName: 'test_cost', iterations: 100 }),
        new CompositeExtension([new TrackTheBest({ name: 'Inside', recordName: 'train_cost', afterBatch: true })]),
        new CostWatch({ onNonFinite: () => {} }),
        new Timing({ afterBatch: true }),
        new Timestamp(),
        new Printing({ write, onResumption: false, onInterrupt: false }),
        new ProgressBar({ stream: { write } }),
        new EpochTable(outputs.output('epochs.csv'), ['train_cost', 'test_cost']),
        new Plot({
          documentName: 'tiny',
          channels: [['train_cost', 'test_cost'], { channels: ['test_misclassification_rate'], yAxisType: 'log' }],
          output: outputs.output('plot.svg'),
          everyNBatches: 5,
        }),
        new PredictDataStream({
          dataStream: sequential(dataset, 5),
          variables: [cost.owner?.inputs[0] ?? cost].map((costs) => Object.assign(costs, { name: 'costs' })),
          output: outputs.output('costs.safetensors'),
          afterNBatches: 4,
        }),
        new Checkpoint({
          folder: path.join(outputs.folder, '..', `checkpoints-of-${path.basename(outputs.folder)}`),
          everyNEpochs: 2,
          logRecord: null,
        }),
        new FinishAfter({ afterNEpochs: 3 }),
        ...stops.map((step) => new StopAt(step)),
      ],
    });
  }

  static async start(home: string, rows: Map<number, LogRow>, ...stops: readonly number[]): Promise<Process> {
    return new Process(await Outputs.open(await mkdtemp(path.join(home, 'outputs-'))), rows, stops);
  }
}

/** Without what a clock says. */
function timeless(row: Readonly<LogRow>): LogRow {
  return Object.fromEntries(Object.entries(row).filter(([name]) => !name.startsWith('time')));
}

/** What is left by training that is killed after each of these steps, some steps after its last snapshot. */
async function left(kills: readonly { readonly step: number; readonly lost: number }[]) {
  const home = await mkdtemp(path.join(folder, 'run-'));
  const rows = new Map<number, LogRow>();
  let snapshot: string | undefined;
  for (const { step, lost } of kills) {
    const process = await Process.start(home, rows, step, step + lost);
    if (snapshot !== undefined) await restoreSnapshot(process.mainLoop, snapshot);
    expect(await process.mainLoop.run()).toBe('stopped');
    snapshot = path.join(home, `snapshot-${step}`);
    await writeSnapshot(process.mainLoop, snapshot);
    if (lost > 0) await process.mainLoop.run();
  }
  const last = await Process.start(home, rows);
  if (snapshot !== undefined) await restoreSnapshot(last.mainLoop, snapshot);
  expect(await last.mainLoop.run()).toBe('finished');
  const { status } = last.mainLoop.log;
  const files = (await readdir(last.outputs.folder)).filter((name) => !name.startsWith('.'));
  const contents = await Promise.all(
    files.map(async (name) => [name, await readFile(path.join(last.outputs.folder, name), 'latin1')] as const),
  );
  return {
    rows: Object.fromEntries([...rows].toSorted(([a], [b]) => a - b)),
    status,
    outputs: Object.fromEntries(contents),
    arrays: await last.mainLoop.arrays(),
    folder: last.outputs.folder,
    extensions: last.mainLoop.extensions,
  };
}

test('with every extension there is, training that is killed at any batch ends as if it had not been', async () => {
  const undisturbed = await left([]);
  const known = new Set([...undisturbed.extensions.map(({ constructor }) => constructor.name), 'StopAt']);
  // They are there to be extended.
  const open = ['MonitoringExtension', 'SimpleExtension'];
  const exported = Object.entries(blocks).flatMap(([name, value]) =>
    typeof value === 'function' && value.prototype instanceof TrainingExtension && !open.includes(name) ? [name] : [],
  );
  expect(exported.filter((name) => !known.has(name))).toEqual([]);

  expect(undisturbed.rows[0]).toMatchObject({ loaded_parameters: 4, test_cost: expect.any(Number) });
  expect(undisturbed.rows[12]).toMatchObject({
    train_cost: expect.any(Number),
    test_misclassification_rate_best_so_far_patience_epochs: expect.any(Number),
  });
  expect(undisturbed.status).toMatchObject({ best_test_cost: expect.any(Number), best_train_cost: expect.any(Number) });
  expect(Object.keys(undisturbed.outputs)).toEqual(['costs.safetensors', 'epochs.csv', 'plot.svg']);

  const disturbed = [
    [{ step: 1, lost: 2 }],
    [
      { step: 4, lost: 3 },
      { step: 9, lost: 0 },
    ],
    [
      { step: 6, lost: 1 },
      { step: 17, lost: 0 },
    ],
  ];
  for (const kills of disturbed) {
    const { folder: _folder, extensions: _extensions, ...run } = await left(kills);
    expect(undisturbed).toMatchObject(run);
  }
});

test('1.19-28: a plot draws the records of its figures, and keeps them short', async () => {
  const outputs = await Outputs.open(await mkdtemp(path.join(folder, 'plot-')));
  const output = outputs.output('plot.svg');
  const channels = [['batch_cost'], { channels: ['batch_cost', 'never'], title: 'a < b', yAxisType: 'log' as const }];
  const plot = new Plot({ documentName: 'Costs & more', channels, output, afterBatch: true, beforeFirstEpoch: false });
  const mainLoop = tinyExperiment({ extensions: [plot], outputs });
  await mainLoop.run();
  const svg = output.readText();
  const [linear, log, never] = [...svg.matchAll(/<polyline points="(.*?)"/g)].map(([, points]) =>
    points?.split(' ').filter(Boolean),
  );

  expect(svg).toContain('>Costs &amp; more</text>');
  expect(svg).toContain('>a &lt; b</text>');
  expect([linear?.length, log?.length, never?.length]).toEqual([9, 9, 0]);
  // From the first batch with a cost to the last, over the whole width; the largest value is at the top.
  expect([linear?.[0]?.split(',')[0], linear?.[8]?.split(',')[0]]).toEqual(['64.0', '624.0']);
  expect(linear?.map((point) => Number(point.split(',')[1])).toSorted((a, b) => a - b)[0]).toBe(24);
  const long = Array.from({ length: 1999 }, (_, step) => [step, step]);
  plot.restore({ kind: 'Plot', version: 1, points: { batch_cost: long } });
  for (const step of [1999, 2000, 2001]) {
    mainLoop.log.status.iterationsDone = step;
    mainLoop.log.currentRow['batch_cost'] = step;
    plot.do();
  }
  const { points } = plot.state() as unknown as { points: Record<string, readonly (readonly number[])[]> };
  expect(points['batch_cost']?.length).toBe(1002);
  expect(points['batch_cost']?.slice(-3)).toEqual([
    [1998, 1998],
    [2000, 2000],
    [2001, 2001],
  ]);
});

test('1.19-30: predictions are those of all examples, in order', async () => {
  const { mainLoop, outputs } = await Process.start(folder, new Map());
  await mainLoop.run();
  const extension = mainLoop.extensions.find((one) => one instanceof PredictDataStream);
  const costs = extension?.prediction.get('costs');
  const { tensors } = await readSafetensors(path.join(outputs.folder, 'costs.safetensors'));

  expect(costs?.shape).toEqual([EXAMPLES]);
  expect(tensors).toEqual(extension?.prediction);
  const mean = [...(costs?.data ?? [])].reduce<number>((sum, value) => sum + Number(value), 0) / EXAMPLES;
  expect(mean).toBeCloseTo(Number(mainLoop.log.currentRow['test_cost']), 5);
});
