import { ndarray, RandomStreams, type NdArray } from '@longrun/serialization';
import { compile, lmatrix, lvector, matrix, tensor, type Variable } from '@longrun/tensor';
import { describe, expect, test } from 'vitest';

import { evaluate } from '../../../test/evaluate.js';
import { float32 } from '../../../test/tiny-experiment.js';
import { ComputationGraph } from '../../graph/computation-graph.js';
import { Constant } from '../../initialization/constant.js';
import { IdentityMatrix } from '../../initialization/identity-matrix.js';
import { IsotropicGaussian } from '../../initialization/isotropic-gaussian.js';
import { select } from '../../selection/selection.js';
import { Tanh } from '../activations.js';
import { SequenceContentAttention } from '../attention/sequence-content-attention.js';
import { GatedRecurrent } from '../recurrent/gated-recurrent.js';
import { SimpleRecurrent } from '../recurrent/simple-recurrent.js';
import { LookupFeedback } from './lookup-feedback.js';
import { Readout } from './readout.js';
import { SequenceGenerator } from './sequence-generator.js';
import { SoftmaxEmitter } from './softmax-emitter.js';
import { SoftmaxReadout } from './softmax-readout.js';
import { TrivialEmitter } from './trivial-emitter.js';

const y = lmatrix('y');

/** How likely each token is after each other. */
const CHAIN = [
  [0.1, 0.2, 0.7],
  [0.5, 0.25, 0.25],
  [0.3, 0.65, 0.05],
];

/** A generator whose tokens are those of a Markov chain: the logarithms of its probabilities are what is fed back. */
function chain(options: { readonly greedy?: boolean; readonly seed?: number } = {}): SequenceGenerator {
  const lookup = new LookupFeedback({ numOutputs: 3, feedbackDim: 3 });
  const generator = new SequenceGenerator({
    readout: new Readout({
      sourceNames: ['feedback'],
      readoutDim: 3,
      emitter: new SoftmaxEmitter({ initialOutput: 1, ...options }),
      feedbackBrick: lookup,
    }),
    transition: new SimpleRecurrent({ dim: 2, activation: new Tanh() }),
    weightsInit: new IdentityMatrix(),
    biasesInit: new Constant(0),
  });
  generator.initialize(new RandomStreams(5));
  lookup.lookup.W.setValue(float32([3, 3], CHAIN.flat().map(Math.log)));
  return generator;
}

/** A generator with attention and parameters that are drawn. */
function attending(options: { readonly greedy?: boolean } = {}): SequenceGenerator {
  const generator = new SequenceGenerator({
    readout: new Readout({
      sourceNames: ['states', 'feedback', 'weighted_averages'],
      readoutDim: 5,
      emitter: new SoftmaxEmitter(options),
      feedbackBrick: new LookupFeedback({ numOutputs: 5, feedbackDim: 3 }),
    }),
    transition: new GatedRecurrent({ dim: 4 }),
    attention: new SequenceContentAttention({ stateNames: ['states'], attendedDim: 2, matchDim: 3 }),
    weightsInit: new IsotropicGaussian(0.9),
    biasesInit: new IsotropicGaussian(0.5),
  });
  generator.initialize(new RandomStreams(3));
  return generator;
}

function numbers(array: NdArray | undefined): number[] {
  return Array.from<number | bigint, number>(array?.data ?? [], Number);
}

async function runs(outputs: readonly Variable[], count: number, withUpdates: boolean): Promise<number[][]> {
  const graph = new ComputationGraph(outputs);
  const f = withUpdates
    ? await graph.getFunction({ engine: 'onnxruntime', threads: 1 })
    : await compile({ inputs: [], outputs, engine: 'onnxruntime', threads: 1 });
  const results: number[][] = [];
  for (let run = 0; run < count; run += 1) results.push((await f.run([])).flatMap(numbers));
  await f.dispose();
  return results;
}

describe('what is generated (1.9-56, 1.9-66)', () => {
  test('is as likely as the readouts say, and costs the negative logarithm of that', async () => {
    const [steps, batch] = [60, 100];
    const { outputs, costs } = chain().generate({}, { nSteps: steps, batchSize: batch });
    if (outputs === undefined || costs === undefined) throw new Error('a generator gives outputs and costs');
    const f = await compile({ inputs: [], outputs: [outputs, costs], engine: 'onnxruntime', threads: 1 });
    const [tokens = [], paid = []] = (await f.run([])).map(numbers);
    await f.dispose();
    const counts = CHAIN.map((row) => row.map(() => 0));
    let worst = 0;
    for (const [place, token] of tokens.entries()) {
      // The first comes after what stands for the outputs before it.
      const before = place < batch ? 1 : (tokens[place - batch] ?? 0);
      const row = counts[before] ?? [];
      row[token] = (row[token] ?? 0) + 1;
      worst = Math.max(worst, Math.abs((paid[place] ?? 0) + Math.log(CHAIN[before]?.[token] ?? 0)));
    }
    expect(worst).toBeLessThan(1e-5);
    for (const [before, row] of counts.entries()) {
      const total = row.reduce((sum, count) => sum + count);
      for (const [token, count] of row.entries()) {
        const probability = CHAIN[before]?.[token] ?? 0;
        const deviation = Math.sqrt((probability * (1 - probability)) / total);
        expect(Math.abs(count / total - probability)).toBeLessThan(4 * deviation);
      }
    }
  });

  test('is the same with each run, and goes on where the function makes the updates', async () => {
    const { outputs = y } = chain().generate({}, { nSteps: 6, batchSize: 4 });
    const [first, second] = await runs([outputs], 2, false);
    expect(second).toEqual(first);
    const [again, other] = await runs([outputs], 2, true);
    expect([again, other === undefined || String(other) !== String(first)]).toEqual([first, true]);
    const { outputs: anew = y } = chain().generate({}, { nSteps: 6, batchSize: 4 });
    const { outputs: seeded = y } = chain({ seed: 5 }).generate({}, { nSteps: 6, batchSize: 4 });
    const { outputs: different = y } = chain({ seed: 6 }).generate({}, { nSteps: 6, batchSize: 4 });
    expect(await runs([anew], 2, true)).toEqual([again, other]);
    expect(await evaluate(seeded)).toEqual(first);
    expect(await evaluate(different)).not.toEqual(first);
  });

  test('greedily, is the most likely token of each step, and costs what it costs when it is given', async () => {
    const generator = attending({ greedy: true });
    const [attended, mask, given] = [tensor('attended', 'float32', [null, null, 2]), matrix('mask'), lmatrix('given')];
    const contexts = { attended, attended_mask: mask };
    const { outputs = given, costs = mask } = generator.generate(contexts, { nSteps: 3, batchSize: 2 });
    const [seen, hidden] = [
      float32(
        [4, 2, 2],
        Array.from({ length: 16 }, (_, place) => Math.sin(place * 1.7)),
      ),
      float32([4, 2], [1, 1, 1, 1, 1, 0, 0, 1]),
    ];
    const generate = await compile({
      inputs: [attended, mask],
      outputs: [outputs, costs],
      engine: 'reference',
      threads: 1,
    });
    const [tokens = [], paid = []] = (await generate.run([seen, hidden])).map(numbers);
    const price = await compile({
      inputs: [given, attended, mask],
      outputs: [generator.costMatrix({ outputs: given, ...contexts })],
      engine: 'reference',
      threads: 1,
    });
    const pricesOf = async (sequence: readonly number[]): Promise<number[]> => {
      const array = ndarray('int64', [3, 2], BigInt64Array.from(sequence.map(BigInt)));
      return numbers((await price.run([array, seen, hidden]))[0]);
    };
    const prices = await pricesOf(tokens);
    for (const [place, value] of prices.entries()) expect(value).toBeCloseTo(paid[place] ?? 0, 5);
    for (const place of tokens.keys()) {
      const others = [0, 1, 2, 3, 4].filter((token) => token !== tokens[place]);
      const costsOfOthers = await Promise.all(
        others.map(async (token) => (await pricesOf(tokens.with(place, token)))[place] ?? 0),
      );
      expect(Math.min(...costsOfOthers)).toBeGreaterThan(prices[place] ?? 0);
    }
    expect(new Set(tokens).size).toBeGreaterThan(1);
  });

  test('comes with states and glimpses, of which each step is made', async () => {
    const generator = attending();
    expect([generator.stateNames, generator.glimpseNames, generator.contextNames]).toEqual([
      ['states'],
      ['weighted_averages', 'weights'],
      ['attended', 'attended_mask'],
    ]);
    const attended = tensor('attended', 'float32', [null, null, 2]);
    const results = generator.generate({ attended }, { nSteps: 3, batchSize: 2 });
    expect(Object.keys(results)).toEqual([
      'states',
      'outputs',
      'weighted_averages',
      'weights',
      'random_state',
      'costs',
    ]);
    expect(Object.keys(generator.initialStates(2, { attended }))).toEqual([
      'states',
      'weighted_averages',
      'weights',
      'outputs',
      'random_state',
    ]);
    const { weights = attended } = results;
    const seen = float32(
      [3, 2, 2],
      Array.from({ length: 12 }, (_, place) => Math.cos(place)),
    );
    const rows = await evaluate(weights, [[attended, seen]]);
    for (let row = 0; row < 6; row += 1) {
      expect(rows.slice(3 * row, 3 * row + 3).reduce((sum, weight) => sum + weight)).toBeCloseTo(1, 5);
    }
    expect(select(weights).application(generator.application('generate')).name('weights').count).toBe(1);
  });
});

describe('a readout', () => {
  test('scores what it costs, and draws what it reads out (1.19-15, 1.19-16, 1.19-17, 1.19-19, 1.19-21)', async () => {
    const readout = new SoftmaxReadout({ sourceNames: ['a', 'b'], mergeNames: ['b'], numTokens: 3 });
    const [weights, biases] = [new IdentityMatrix(), new Constant(0.5)];
    [readout.weightsInit, readout.biasesInit] = [weights, biases];
    for (const dim of readout.sourceDims) dim.value = 3;
    readout.initialize(new RandomStreams(1));
    const [a, b, tokens] = [matrix('a'), matrix('b'), lvector('tokens')];
    const sources = { a, b };
    const logits = [1, 2, 3, 0, 100, 0];
    const given = [[b, float32([2, 3], logits)]] as const;
    const labelled = [...given, [tokens, ndarray('int64', [2], BigInt64Array.of(2n, 1n))]] as const;
    const total = Math.log(Math.exp(1) + Math.exp(2) + Math.exp(3));
    const [first = 0, second = 0] = await evaluate(readout.costs(tokens, sources), labelled);
    expect([first, second]).toEqual([expect.closeTo(total - 3, 5), expect.closeTo(0, 5)]);
    expect(await evaluate(readout.allScores(tokens, sources), labelled)).toEqual([-first, -second]);
    const mask = tensor('mask', 'float32', [2]);
    const masked = await evaluate(readout.costs(tokens, sources, mask), [...labelled, [mask, float32([2], [1, 0])]]);
    expect(masked).toEqual([first, expect.closeTo(0, 6)]);
    const all = await evaluate(readout.scores(sources), given);
    expect(all.slice(0, 3)).toEqual([1, 2, 3].map((logit) => expect.closeTo(logit - total, 5) as unknown));
    expect((await evaluate(readout.sample(sources).outputs, given))[1]).toBe(1);
    expect(await evaluate(readout.merge(sources), given)).toEqual(logits.map((logit) => logit + 0.5));
    expect(() => new SoftmaxReadout({ sourceNames: ['a'], mergeNames: ['c'], numTokens: 2 })).toThrow(
      '/softmaxreadout: mergeNames has c; give names of sources: a',
    );
  });

  test('gives its readouts as outputs where it is told nothing else (1.9-71, 1.9-74)', async () => {
    const generator = new SequenceGenerator({
      readout: new Readout({ sourceNames: ['states'], readoutDim: 2 }),
      transition: new SimpleRecurrent({ dim: 2, activation: new Tanh() }),
      weightsInit: new IdentityMatrix(),
      biasesInit: new Constant(0.5),
    });
    generator.initialize(new RandomStreams(1));
    const { outputs = y, costs = y } = generator.generate({}, { nSteps: 2, batchSize: 1 });
    // Biases of readout and fork; the states that are read out are those before the step.
    const state = Math.tanh(1);
    const expected = [0.5, 0.5, state + 0.5, state + 0.5];
    for (const [place, value] of (await evaluate(outputs)).entries())
      expect(value).toBeCloseTo(expected[place] ?? 0, 6);
    expect(await evaluate(costs)).toEqual([0, 0]);
    expect(() => new TrivialEmitter().scores(matrix('readouts'))).toThrow(
      '/trivialemitter has outputs that cannot be counted, so there are no scores of all; use a SoftmaxEmitter',
    );
  });
});

test('a readout refuses outputs of which nothing can be fed back', () => {
  const readout = (numOutputs: number, initialOutput: number): Readout =>
    new Readout({
      sourceNames: [],
      readoutDim: 3,
      emitter: new SoftmaxEmitter({ initialOutput }),
      feedbackBrick: new LookupFeedback({ numOutputs, feedbackDim: 2 }),
    });
  readout(4, 3).pushAllocationConfig();
  expect(() => readout(2, 0).pushAllocationConfig()).toThrow(
    '/readout: outputs are from 0 to 2, with 0 before the first one, and /readout/lookupfeedback has rows of 2; give it numOutputs of at least 3, or another initialOutput',
  );
  expect(() => readout(3, 3).pushAllocationConfig()).toThrow('numOutputs of at least 4');
  expect(() => readout(3, -1)).toThrow('/softmaxemitter: initialOutput is -1; give the number of an output');
});

describe('a generator', () => {
  test('is copied with all that it was given', () => {
    const copy = unallocated().copy('twin');
    copy.allocate();
    expect(copy.children.map(({ uniquePath }) => uniquePath)).toEqual([
      '/twin/softmaxreadout',
      '/twin/fork',
      '/twin/att_trans',
    ]);
    expect([copy.readout.readoutDim.value, copy.transition.children.length]).toEqual([7, 3]);
  });

  test('says what it is not given', () => {
    const attended = tensor('attended', 'float32', [null, null, 2]);
    expect(() => attending().generate({}, { nSteps: 2, batchSize: 2 })).toThrow('is not given attended');
    expect(() => attending().generate({ attended })).toThrow('give nSteps and batchSize, or a sequence');
    expect(() => attending().nextStates({ attended })).toThrow('is not given outputs, of which a step is made');
    expect(() => attending().cost({ outputs: y, attended, sentence: attended })).toThrow(
      '/sequencegenerator.costMatrix has no input sentence; it has outputs, mask, states',
    );
  });
});

function unallocated(): SequenceGenerator {
  return new SequenceGenerator({
    readout: new SoftmaxReadout({ sourceNames: ['states'], numTokens: 7 }),
    transition: new GatedRecurrent({ dim: 4 }),
    attention: new SequenceContentAttention({ stateNames: ['states'], attendedDim: 2, matchDim: 3 }),
  });
}
