import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import type { NdArray } from '@longrun/serialization';
import type { Variable } from '@longrun/tensor';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import * as blocks from '../src/index.js';
import {
  AdaDelta,
  AdaGrad,
  Adam,
  AdamW,
  AMSGrad,
  applyPenalty,
  BasicMomentum,
  BasicNesterovMomentum,
  BasicRMSProp,
  Checkpoint,
  CompositeRule,
  ComputationGraph,
  cosineDecay,
  GradientAccumulation,
  GradientDescent,
  GradualFreezing,
  Lion,
  Lookahead,
  Momentum,
  NesterovMomentum,
  newestSnapshot,
  PARAMETER,
  ParameterAverage,
  RemoveNotFinite,
  Reporting,
  restoreSnapshot,
  RMSProp,
  Scale,
  Schedule,
  select,
  StepClipping,
  TrainingExtension,
  VariableClipping,
  WEIGHT,
  writeSnapshot,
  type LogRow,
  type MainLoop,
  type StepRule,
} from '../src/index.js';
import { tinyExperiment, type TinyOptions } from './tiny-experiment.js';

/** Stops training when so many batches are done; `epochEnd` stops it only where that is the end of an epoch. */
class StopAt extends TrainingExtension {
  readonly step: number;
  readonly when: 'afterBatch' | 'afterEpoch';
  constructor(step: number, when: 'afterBatch' | 'afterEpoch') {
    super();
    this.step = step;
    this.when = when;
  }
  override afterBatch(): void {
    if (this.when === 'afterBatch') this.#stop();
  }
  override afterEpoch(): void {
    if (this.when === 'afterEpoch') this.#stop();
  }
  #stop(): void {
    if (this.mainLoop.status.iterationsDone === this.step) this.mainLoop.requestStop();
  }
}

/** What a run leaves: its rows, as its successors see them, and the final arrays. */
interface Trace {
  readonly rows: Map<number, Readonly<LogRow>>;
  readonly arrays: string;
  readonly step: number;
  readonly stops: number;
}

interface Kill {
  readonly step: number;
  readonly when: 'afterBatch' | 'afterEpoch';
  /** Steps done and lost between the snapshot and the death of the process. */
  readonly lost: number;
}

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'longrun-resume-'));
});
afterAll(() => rm(folder, { recursive: true }));

const EPOCH = 6;
const EPOCHS = 3;

/** Trains to the end in as many processes' worth of main loops as there are kills, each from a snapshot on disk. */
async function trained(engine: string, variant: () => TinyOptions, kills: readonly Kill[]): Promise<Trace> {
  const rows = new Map<number, Readonly<LogRow>>();
  const report = (step: number, row: Readonly<LogRow>): void => void rows.set(step, structuredClone(row));
  const build = (kill?: Kill): MainLoop =>
    tinyExperiment({
      ...variant(),
      engine,
      epochs: EPOCHS,
      extensions: [
        new Reporting({ onLogRow: report }),
        ...(kill === undefined ? [] : [new StopAt(kill.step, kill.when)]),
      ],
    });
  let snapshot: string | undefined;
  let stops = 0;
  for (const [at, kill] of kills.entries()) {
    const mainLoop = build(kill);
    if (snapshot !== undefined) await restoreSnapshot(mainLoop, snapshot);
    if ((await mainLoop.run()) === 'finished') break;
    stops += 1;
    snapshot = path.join(await mkdtemp(path.join(folder, 'kill-')), String(at));
    await writeSnapshot(mainLoop, snapshot);
    // What comes after the snapshot is lost with the process; its rows are reported twice, and must be the same.
    if (kill.lost > 0) await lostWork(build({ ...kill, step: kill.step + kill.lost, when: 'afterBatch' }), snapshot);
  }
  const last = build();
  if (snapshot !== undefined) await restoreSnapshot(last, snapshot);
  expect(await last.run()).toBe('finished');
  const { parameters, algorithm } = await last.arrays();
  return { rows, arrays: `${digest(parameters)} ${digest(algorithm)}`, step: last.status.iterationsDone, stops };
}

async function lostWork(mainLoop: MainLoop, snapshot: string): Promise<void> {
  await restoreSnapshot(mainLoop, snapshot);
  await mainLoop.run();
}

function digest(arrays: ReadonlyMap<string, NdArray>): string {
  const hash = createHash('sha256');
  for (const [name, array] of arrays) {
    hash.update(name).update(new Uint8Array(array.data.buffer, array.data.byteOffset, array.data.byteLength));
  }
  return hash.digest('hex');
}

const RULES: readonly (readonly [string, () => StepRule])[] = [
  ['Adam', () => new Adam({ learningRate: 0.05 })],
  ['Momentum', () => new Momentum({ learningRate: 0.1, momentum: 0.9 })],
  ['BasicMomentum', () => new BasicMomentum({ momentum: 0.1 })],
  ['NesterovMomentum', () => new NesterovMomentum({ learningRate: 0.1, momentum: 0.9 })],
  ['BasicNesterovMomentum', () => new BasicNesterovMomentum({ momentum: 0.1 })],
  ['AdamW', () => new AdamW({ learningRate: 0.05 })],
  ['AMSGrad', () => new AMSGrad({ learningRate: 0.05 })],
  ['AdaDelta', () => new CompositeRule([new AdaDelta({ epsilon: 1e-2 }), new Scale({ learningRate: 5 })])],
  ['AdaGrad', () => new AdaGrad({ learningRate: 0.1 })],
  ['RMSProp', () => new RMSProp({ learningRate: 0.02 })],
  ['BasicRMSProp', () => new CompositeRule([new BasicRMSProp(), new Scale({ learningRate: 0.02 })])],
  ['Lion', () => new Lion({ learningRate: 0.03 })],
  ['Scale', () => new Scale({ learningRate: 0.5 })],
  ['StepClipping', () => new CompositeRule([new Scale({ learningRate: 0.5 }), new StepClipping({ threshold: 0.2 })])],
  ['VariableClipping', () => new CompositeRule([new Scale(), new VariableClipping({ threshold: 1.5 })])],
  ['RemoveNotFinite', () => new CompositeRule([new Scale(), new RemoveNotFinite()])],
  ['Lookahead', () => new Lookahead(new Adam({ learningRate: 0.1 }), { every: 4 })],
  ['GradientAccumulation', () => new GradientAccumulation(new Adam({ learningRate: 0.1 }), { every: 4 })],
  ['Schedule', () => new CompositeRule([new Adam({ learningRate: 0.1 }), new Schedule(cosineDecay(20))])],
];

/** All that training is varied in: the step rules, and what has a state besides. */
const VARIANTS: readonly (readonly [string, () => TinyOptions])[] = [
  ...RULES.map(([name, rule]) => [name, () => ({ stepRule: rule() })] as const),
  ['Dropout', () => ({ dropProbability: 0.3 })],
  ['GradualFreezing', () => ({ algorithm: freezing })],
  ['ParameterAverage and a penalty', () => ({ algorithm: averaging })],
];

/** Weights are frozen while the cuts are made. */
function freezing(cost: Variable): GradientDescent {
  const spans = [{ parameters: select(cost).role(WEIGHT), from: 5, until: 12 }];
  return new GradientDescent({ cost, stepRule: new GradualFreezing(new Adam({ learningRate: 0.1 }), spans) });
}

function averaging(cost: Variable): GradientDescent {
  const graph = new ComputationGraph(cost);
  const penalized = applyPenalty(graph, select(graph).role(WEIGHT), { l2: 1e-3 });
  const algorithm = new GradientDescent({ cost: penalized.cost, stepRule: new Adam({ learningRate: 0.05 }) });
  const average = new ParameterAverage(select(cost).role(PARAMETER), { decay: 0.9, from: 3 });
  algorithm.addUpdates(average.updatesFor(algorithm));
  return algorithm;
}

describe.each(['reference', 'onnxruntime'] as const)('on %s, resuming at any cut equals no cut:', (engine) => {
  let undisturbed: ReadonlyMap<string, Trace> = new Map();
  beforeAll(async () => {
    const traces = VARIANTS.map(async ([name, variant]) => [name, await trained(engine, variant, [])] as const);
    undisturbed = new Map(await Promise.all(traces));
  });

  test('the undisturbed run learns, and its log has every kind of row', () => {
    for (const { rows, step } of undisturbed.values()) {
      expect(step).toBe(EPOCH * EPOCHS);
      expect(Object.keys(rows.get(0) ?? {})).toEqual(['test_cost', 'test_misclassification_rate']);
      expect(rows.get(4)).toHaveProperty('batch_cost');
      expect(rows.get(EPOCH)).toHaveProperty('train_cost');
      expect(Number(rows.get(step)?.['test_cost'])).toBeLessThan(Number(rows.get(0)?.['test_cost']));
      expect(rows.get(step)).toMatchObject({ training_finish_requested: true, training_finished: true });
    }
  });

  const cuts: readonly (readonly [string, Kill])[] = [
    ['after the first batch', { step: 1, when: 'afterBatch', lost: 0 }],
    ['in the middle of an epoch, in the middle of an aggregation', { step: 9, when: 'afterBatch', lost: 0 }],
    ['after the last batch of an epoch, before its end', { step: EPOCH, when: 'afterBatch', lost: 0 }],
    ['between two epochs', { step: EPOCH, when: 'afterEpoch', lost: 0 }],
    ['after the very last batch', { step: EPOCH * EPOCHS, when: 'afterBatch', lost: 0 }],
    ['with work lost after the snapshot', { step: 8, when: 'afterBatch', lost: 5 }],
  ];
  test.each(cuts)('%s', async (_, kill) => {
    const [[name, variant] = ['', () => ({})]] = VARIANTS;
    const trace = await trained(engine, variant, [kill]);

    expect(trace.stops).toBe(1);
    same(trace, undisturbed.get(name));
  });

  test.each(VARIANTS)('with each step rule, and what has a state besides: %s', async (name, variant) => {
    same(await trained(engine, variant, [{ step: 9, when: 'afterBatch', lost: 2 }]), undisturbed.get(name));
  });

  test('anywhere, several times', async () => {
    const kill = fc.record({
      step: fc.integer({ min: 1, max: EPOCH * EPOCHS }),
      when: fc.constantFrom('afterBatch', 'afterEpoch'),
      lost: fc.integer({ min: 0, max: 4 }),
    });
    const kills = fc
      .array(kill, { minLength: 1, maxLength: 4 })
      .map((list) => list.toSorted((a, b) => a.step - b.step));
    let stops = 0;
    await fc.assert(
      fc.asyncProperty(kills, fc.constantFrom(...VARIANTS), async (list, [name, variant]) => {
        const trace = await trained(engine, variant, list);
        stops += trace.stops;
        same(trace, undisturbed.get(name));
      }),
      { numRuns: engine === 'reference' ? 30 : 12, seed: 5 },
    );
    expect(stops).toBeGreaterThan(10);
  });

  test('from a snapshot that Checkpoint took while training went on', async () => {
    const [[name, rule] = ['', () => new Adam()]] = RULES;
    const snapshots = await mkdtemp(path.join(folder, 'checkpoint-'));
    const build = (stopAt?: number): MainLoop =>
      tinyExperiment({
        engine,
        epochs: EPOCHS,
        stepRule: rule(),
        extensions: [
          new Checkpoint({ folder: snapshots, everyNBatches: 7, afterTraining: false, logRecord: null }),
          ...(stopAt === undefined ? [] : [new StopAt(stopAt, 'afterBatch')]),
        ],
      });
    await build(11).run();
    const snapshot = await newestSnapshot(snapshots);
    const successor = build();
    const restored = await restoreSnapshot(successor, snapshot ?? '');
    await successor.run();

    expect(restored).toEqual({ step: 7, environmentChanged: [] });
    const { parameters, algorithm } = await successor.arrays();
    expect(`${digest(parameters)} ${digest(algorithm)}`).toBe(undisturbed.get(name)?.arrays);
  });
});

test('each step rule there is was tried', () => {
  const rules = Object.entries(blocks).filter(
    ([, value]) => typeof value === 'function' && value.prototype instanceof blocks.StepRule,
  );
  // Of parameters, and of rules: each in others here.
  const composed = ['CompositeRule', 'GradualFreezing', 'Restrict'];
  expect(rules.map(([name]) => name).toSorted()).toEqual([...RULES.map(([name]) => name), ...composed].toSorted());
});

function same(trace: Trace, expected: Trace | undefined): void {
  if (expected === undefined) throw new Error('there is no undisturbed run to compare with');
  expect(trace.arrays).toBe(expected.arrays);
  expect(Object.fromEntries(trace.rows)).toEqual(Object.fromEntries(expected.rows));
}
