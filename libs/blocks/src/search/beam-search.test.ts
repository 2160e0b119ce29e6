import { ndarray, RandomStreams, type NdArray } from '@longrun/serialization';
import {
  compile,
  dimension,
  lmatrix,
  matrix,
  mul,
  tensor,
  type CompiledFunction,
  type Variable,
} from '@longrun/tensor';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { float32 } from '../../test/tiny-experiment.js';
import { SequenceContentAttention } from '../bricks/attention/sequence-content-attention.js';
import { GatedRecurrent } from '../bricks/recurrent/gated-recurrent.js';
import { LookupFeedback } from '../bricks/sequence-generators/lookup-feedback.js';
import { Readout } from '../bricks/sequence-generators/readout.js';
import { SequenceGenerator } from '../bricks/sequence-generators/sequence-generator.js';
import { SoftmaxEmitter } from '../bricks/sequence-generators/softmax-emitter.js';
import { IsotropicGaussian } from '../initialization/isotropic-gaussian.js';
import { select } from '../selection/selection.js';
import { BeamSearch } from './beam-search.js';
import type { Hypothesis, SearchRules } from './hypotheses.js';

const [TOKENS, LENGTH, EXAMPLES] = [3, 3, 2];
const attended = tensor('attended', 'float32', [null, null, 2]);
const mask = matrix('attended_mask');
const contexts = { attended, attended_mask: mask };
/** The second example has less to see. */
const inputs = new Map<string, NdArray>([
  [
    'attended',
    float32(
      [3, EXAMPLES, 2],
      Array.from({ length: 12 }, (_, place) => Math.sin(3 * place)),
    ),
  ],
  ['attended_mask', float32([3, EXAMPLES], [1, 1, 1, 1, 1, 0])],
]);

function generatorOf(greedy: boolean): SequenceGenerator {
  return new SequenceGenerator({
    readout: new Readout({
      sourceNames: ['states', 'feedback', 'weighted_averages'],
      readoutDim: TOKENS,
      emitter: new SoftmaxEmitter({ greedy }),
      feedbackBrick: new LookupFeedback({ numOutputs: TOKENS, feedbackDim: 3 }),
    }),
    transition: new GatedRecurrent({ dim: 3 }),
    attention: new SequenceContentAttention({ stateNames: ['states'], attendedDim: 2, matchDim: 3 }),
    weightsInit: new IsotropicGaussian(1.5),
    biasesInit: new IsotropicGaussian(0.5),
  });
}

function samplesOf(generator: SequenceGenerator): Variable {
  const { outputs } = generator.generate(contexts, { nSteps: LENGTH, batchSize: dimension(attended, 1) });
  if (outputs === undefined) throw new Error('a generator gives outputs');
  return outputs;
}

const target = { engine: 'reference', threads: 1 } as const;
const [generator, greedy] = [generatorOf(false), generatorOf(true)];
const samples = samplesOf(generator);
/** A beam with a place for each sequence. */
const whole = new BeamSearch(samples, { beamSize: TOKENS ** LENGTH, ...target });
const narrow = new BeamSearch(samples, { beamSize: 1, ...target });
let greedily: CompiledFunction;
let pricing: CompiledFunction;
const sequences = lmatrix('sequences');

beforeAll(async () => {
  greedily = await compile({ inputs: [attended, mask], outputs: [samplesOf(greedy)], ...target });
  const costs = generator.costMatrix({ outputs: sequences, ...contexts });
  pricing = await compile({ inputs: [sequences, attended, mask], outputs: [costs], ...target });
});
afterAll(() => Promise.all([whole.dispose(), narrow.dispose(), greedily.dispose(), pricing.dispose()]));

/** All sequences of the greatest length. */
const ALL = Array.from({ length: TOKENS ** LENGTH }, (_, number) =>
  Array.from({ length: LENGTH }, (_symbol, place) => Math.floor(number / TOKENS ** place) % TOKENS),
);

/** All sequences that keep the rules, the best first, by what each costs by itself. */
async function exhaustively(example: number, rules: SearchRules): Promise<Hypothesis[]> {
  const { eolSymbol, maxLength, minLength = 0, lengthPenalty = 0, ignoreFirstEol = false } = rules;
  const [seen, hidden] = [...inputs.values()].map((array) => repeatedExample(array, example, ALL.length));
  if (seen === undefined || hidden === undefined) throw new Error('there are two inputs');
  const rows = ndarray('int64', [LENGTH, ALL.length]);
  for (const [column, sequence] of ALL.entries()) {
    for (const [step, token] of sequence.entries()) rows.data[step * ALL.length + column] = BigInt(token);
  }
  const costs = (await pricing.run([rows, seen, hidden]))[0]?.data ?? [];
  const found = new Map<string, Hypothesis>();
  for (const [column, sequence] of ALL.entries()) {
    const end = sequence.findIndex((token, place) => token === eolSymbol && !(place === 0 && ignoreFirstEol));
    const length = end < 0 || end >= maxLength ? maxLength : end + 1;
    const isComplete = end >= 0 && end < maxLength;
    if (isComplete && end < minLength) continue;
    const outputs = sequence.slice(0, length);
    const logProbability = outputs.reduce((sum, _, step) => sum - Number(costs[step * ALL.length + column]), 0);
    found.set(String(outputs), {
      outputs,
      logProbability,
      score: logProbability / length ** lengthPenalty,
      isComplete,
    });
  }
  return [...found.values()].toSorted((a, b) => b.score - a.score);
}

function repeatedExample({ shape, data }: NdArray, example: number, count: number): NdArray {
  const [time = 0, examples = 0, width = 1] = shape;
  const values = Array.from({ length: time * count * width }, (_, place) => {
    const [step, element] = [Math.floor(place / count / width), place % width];
    return Number(data[(step * examples + example) * width + element]);
  });
  return float32(shape.length === 2 ? [time, count] : [time, count, width], values);
}

function expectSame(actual: readonly Hypothesis[], expected: readonly Hypothesis[]): void {
  expect(actual.map(({ outputs, isComplete }) => [outputs, isComplete])).toEqual(
    expected.map(({ outputs, isComplete }) => [outputs, isComplete]),
  );
  const worst = actual.map(({ logProbability, score }, place) =>
    Math.max(
      Math.abs(logProbability - (expected[place]?.logProbability ?? 0)),
      Math.abs(score - (expected[place]?.score ?? 0)),
    ),
  );
  expect(Math.max(...worst)).toBeLessThan(1e-5);
}

/** 1.18-01, 1.18-02, 1.18-03, 1.18-04, 1.18-05, 1.18-06, 1.19-03, 1.19-04, 1.19-05, 1.19-06, 1.19-07, 1.19-08. */
describe('a search', () => {
  test('with a place for each sequence finds all of them, in their order, by any rules', async () => {
    const rules = fc.record({
      eolSymbol: fc.integer({ min: 0, max: TOKENS - 1 }),
      maxLength: fc.integer({ min: 2, max: LENGTH }),
      minLength: fc.integer({ min: 0, max: 1 }),
      lengthPenalty: fc.constantFrom(0, 0.6, 1),
      ignoreFirstEol: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 1000 }), rules, async (seed, one) => {
        generator.initialize(new RandomStreams(seed));
        const found = await whole.search(inputs, one);
        expect(found).toHaveLength(EXAMPLES);
        for (const [example, hypotheses] of found.entries()) {
          expectSame(hypotheses, await exhaustively(example, one));
        }
      }),
      { numRuns: 6, seed: 1 },
    );
  });

  test('with one place finds what is generated greedily', async () => {
    for (const seed of [1, 2, 3]) {
      for (const one of [generator, greedy]) one.initialize(new RandomStreams(seed));
      const [tokens] = await greedily.run([...inputs.values()]);
      const found = await narrow.search(inputs, { eolSymbol: 0, maxLength: LENGTH });
      for (const [example, hypotheses] of found.entries()) {
        const generated = Array.from({ length: LENGTH }, (_, step) => Number(tokens?.data[step * EXAMPLES + example]));
        const end = generated.indexOf(0);
        expect(hypotheses.map(({ outputs }) => outputs)).toEqual([end < 0 ? generated : generated.slice(0, end + 1)]);
      }
    }
  });

  test('of a graph that was changed goes by what it has become', async () => {
    generator.initialize(new RandomStreams(1));
    const double = select(samples)
      .brick(generator)
      .application(generator.application('generate'))
      .name('attended')
      .replace((variable) => mul(variable, 2));
    const [changed = samples] = double.graph.outputs;
    const search = new BeamSearch(changed, { beamSize: 2, ...target });
    const same = new BeamSearch(samples, { beamSize: 2, ...target });
    const rules = { eolSymbol: 0, maxLength: LENGTH };
    const { shape, data } = mustBe(inputs.get('attended'));
    const twice = float32(
      shape,
      Array.from<number | bigint, number>(data, (value) => 2 * Number(value)),
    );

    const found = await search.search(inputs, rules);
    expect(found).toEqual(await same.search(new Map([...inputs, ['attended', twice]]), rules));
    expect(found).not.toEqual(await same.search(inputs, rules));
    await Promise.all([search.dispose(), same.dispose()]);
  });

  test('says what is wrong with what it is given', async () => {
    expect(() => new BeamSearch(attended, { beamSize: 2 })).toThrow(
      'BeamSearch: attended is not generated by a sequence generator; give the outputs of its generate(contexts, { nSteps, batchSize })',
    );
    expect(() => new BeamSearch(samples, { beamSize: 0 })).toThrow('beamSize is 0; give a whole number of at least 1');
    const rules = { eolSymbol: 0, maxLength: LENGTH };
    await expect(narrow.search(new Map([['attended', mustBe(inputs.get('attended'))]]), rules)).rejects.toThrow(
      'BeamSearch: there are no data for attended_mask; give an array for each',
    );
    await expect(narrow.search(inputs, { ...rules, maxLength: 0 })).rejects.toThrow('maxLength is 0');
    await expect(narrow.search(inputs, { ...rules, minLength: LENGTH })).rejects.toThrow(
      `minLength is ${LENGTH}; give a whole number from 0 to below maxLength, ${LENGTH}`,
    );
    await expect(narrow.search(inputs, { ...rules, eolSymbol: TOKENS })).rejects.toThrow(
      `eolSymbol is ${TOKENS}, and there are ${TOKENS} outputs`,
    );
    await expect(narrow.search(inputs, { ...rules, lengthPenalty: -1 })).rejects.toThrow('lengthPenalty is -1');
    const { contexts: seen, states } = await narrow.computeInitialStatesAndContexts(inputs);
    const { states: _left, ...others } = states;
    await expect(narrow.computeLogprobs(seen, others)).rejects.toThrow(
      'BeamSearch: the state states is missing; give states, outputs, weighted_averages, weights',
    );
    mustBe(generator.readout.children[1])
      .parameterNamed('b')
      .setValue(float32([TOKENS], [Number.NaN, 0, 0]));
    await expect(narrow.search(inputs, rules)).rejects.toThrow('the score of output 0 is NaN');
  });
});

function mustBe<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('it is there');
  return value;
}
