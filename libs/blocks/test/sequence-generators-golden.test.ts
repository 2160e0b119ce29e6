import { readFileSync } from 'node:fs';

import { ndarray } from '@longrun/serialization';
import { constant, lmatrix, matrix } from '@longrun/tensor';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';

import {
  COST,
  Feedback,
  FeedforwardSequence,
  GatedRecurrent,
  hasRoles,
  Linear,
  LookupFeedback,
  LookupTable,
  Readout,
  select,
  SequenceContentAttention,
  SequenceGenerator,
  SoftmaxEmitter,
  SoftmaxReadout,
  Tanh,
} from '../src/index.js';
import { evaluate } from './evaluate.js';
import { expectGolden, GoldenArrays, GoldenCase, inputsOfGolden, setParameters } from './golden-brick.js';
import { float32 } from './tiny-experiment.js';

const Generated = z.object({
  parameters: GoldenArrays,
  given: GoldenArrays,
  costs: z.array(z.number()),
  perElement: z.number(),
  case: GoldenCase,
});
/** See make-sequence-generators.py. */
const golden = z
  .object({
    outputs: z.array(z.number()),
    mask: z.array(z.number()),
    attendedMask: z.array(z.number()),
    plain: Generated,
    attending: Generated,
  })
  .parse(JSON.parse(readFileSync(new URL('./goldens/sequence-generators.json', import.meta.url), 'utf8')));
const [TIME, BATCH, DIM, WIDTH, MATCH, TOKENS, FED, INITIAL] = [4, 3, 2, 3, 4, 6, 3, 2];

const outputs = lmatrix('outputs');
const mask = matrix('mask');
const given = [
  [outputs, ndarray('int64', [TIME, BATCH], BigInt64Array.from(golden.outputs.map(BigInt)))],
  [mask, float32([TIME, BATCH], golden.mask)],
] as const;

/** The first design: a readout with an emitter and a feedback brick, its sources merged by way of a layer in between. */
function plainGenerator(): SequenceGenerator {
  return new SequenceGenerator({
    readout: new Readout({
      sourceNames: ['states', 'feedback'],
      readoutDim: TOKENS,
      mergedDim: 5,
      postMerge: layer(),
      emitter: new SoftmaxEmitter({ initialOutput: INITIAL }),
      feedbackBrick: new LookupFeedback({ numOutputs: TOKENS, feedbackDim: FED }),
    }),
    transition: new GatedRecurrent({ dim: DIM }),
  });
}

function layer(): FeedforwardSequence {
  return new FeedforwardSequence([new Tanh(), new Linear()], { name: 'post_merge' });
}

/** The second: a readout of the tokens as they are, which an embedding feeds back; with attention. */
function attendingGenerator(): SequenceGenerator {
  return new SequenceGenerator({
    readout: new SoftmaxReadout({
      sourceNames: ['states', 'weighted_averages'],
      numTokens: TOKENS,
      initialOutput: INITIAL,
    }),
    transition: new GatedRecurrent({ dim: DIM }),
    attention: new SequenceContentAttention({ stateNames: ['states'], attendedDim: WIDTH, matchDim: MATCH }),
    fork: new Feedback({
      outputNames: ['inputs', 'gate_inputs'],
      embedding: new LookupTable({ name: 'embedding', length: TOKENS, dim: FED }),
    }),
  });
}

/**
 * The first design without attention: 1.9-53, 1.9-54, 1.9-55, 1.9-57, 1.9-58, 1.9-59, 1.9-60, 1.9-61, 1.9-62, 1.9-63, 1.9-64, 1.9-65,
 * 1.9-67, 1.9-68, 1.9-69, 1.9-70, 1.9-72, 1.9-73, 1.9-75, 1.9-76, 1.9-77;
 * the second with it: 1.19-14, 1.19-18, 1.19-20, 1.19-22, 1.19-23, 1.19-24, 1.19-25.
 */
describe('what given sequences cost is what PyTorch computes, with the gradients', () => {
  test.each([
    ['plain', 'reference'],
    ['attending', 'reference'],
    ['attending', 'onnxruntime'],
  ] as const)('%s on %s', async (kind, engine) => {
    const { parameters, given: contexts, costs, perElement, case: whole } = golden[kind];
    const generator = kind === 'plain' ? plainGenerator() : attendingGenerator();
    const byPath = setParameters(generator, parameters);
    const variables = inputsOfGolden(contexts);
    const attendedMask = kind === 'plain' ? {} : { attended_mask: constant(float32([5, BATCH], golden.attendedMask)) };
    const cost = generator.cost({ outputs, mask, ...variables, ...attendedMask });
    const values = Object.entries(variables).map(
      ([name, variable]) => [variable, float32(contexts.shapes[name] ?? [], contexts.values[name] ?? [])] as const,
    );
    expect(hasRoles(cost, [COST])).toBe(true);
    const leaves = { ...Object.fromEntries(byPath), ...variables };
    await expectGolden(whole, { cost }, leaves, [...given, ...values], engine);
    if (engine !== 'reference') return;

    const matrixOfCosts = await evaluate(
      select(cost).application(generator.application('costMatrix')).name('costs').one(),
      [...given, ...values],
    );
    for (const [place, value] of matrixOfCosts.entries()) expect(value).toBeCloseTo(costs[place] ?? 0, 5);
    const [average] = await evaluate(select(cost).name('per_sequence_element').one(), [...given, ...values]);
    expect(average).toBeCloseTo(perElement, 5);
  });
});
