import { readFileSync } from 'node:fs';

import { RandomStreams } from '@longrun/serialization';
import { add, compile, dot, grad, matrix, slice, square, sum, tensor } from '@longrun/tensor';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';

import {
  AttentionRecurrent,
  GatedRecurrent,
  IsotropicGaussian,
  select,
  SequenceContentAttention,
  ShallowEnergyComputer,
  SimpleRecurrent,
  SimpleSequenceAttention,
  Tanh,
} from '../src/index.js';
import { expectGolden, GoldenArrays, GoldenCase, inputsOfGolden, setParameters } from './golden-brick.js';
import { float32 } from './tiny-experiment.js';

/** See make-attention.py. */
const golden = z
  .object({
    attendedMask: z.array(z.number()),
    content: z.object({
      parameters: GoldenArrays,
      given: GoldenArrays,
      cases: z.object({ plain: GoldenCase, masked: GoldenCase }),
    }),
    recurrent: z.object({
      parameters: GoldenArrays,
      given: GoldenArrays,
      mask: z.array(z.number()),
      cases: z.object({ plain: GoldenCase, masked: GoldenCase }),
    }),
  })
  .parse(JSON.parse(readFileSync(new URL('./goldens/attention.json', import.meta.url), 'utf8')));
const [TIME, BATCH, DIM, ATTENDED, WIDTH, MATCH] = [3, 3, 2, 4, 3, 5];
const attendedMask = matrix('attended_mask');
const hidden = [attendedMask, float32([ATTENDED, BATCH], golden.attendedMask)] as const;

function valuesOf({ values, shapes }: GoldenArrays, variables: ReturnType<typeof inputsOfGolden>) {
  return Object.entries(variables).map(
    ([name, variable]) => [variable, float32(shapes[name] ?? [], values[name] ?? [])] as const,
  );
}

/** 1.9-01, 1.9-02, 1.9-03, 1.9-04, 1.9-05, 1.9-06, 1.9-07, 1.9-08, 1.9-09, 1.9-10: glimpses of what is attended to; one example has nothing to see. */
describe('SequenceContentAttention gives what PyTorch gives, with its gradients', () => {
  test.each(['plain', 'masked'] as const)('%s', async (kind) => {
    const { parameters, given, cases } = golden.content;
    const attention = new SequenceContentAttention({
      stateNames: ['states', 'others'],
      stateDims: [DIM, 4],
      attendedDim: WIDTH,
      matchDim: MATCH,
    });
    const byPath = setParameters(attention, parameters);
    const { attended, ...states } = inputsOfGolden(given);
    if (attended === undefined) throw new Error('the golden attends to nothing');
    const masks = kind === 'masked' ? { attended_mask: attendedMask } : {};
    const glimpses = attention.takeGlimpses({ attended, ...states, ...masks });
    await expectGolden(
      cases[kind],
      glimpses,
      { ...Object.fromEntries(byPath), attended, ...states },
      [...valuesOf(given, { attended, ...states }), ...(kind === 'masked' ? [hidden] : [])],
      'reference',
    );
  });
});

test('SimpleSequenceAttention gives each step its own element, as inputs of their own would (1.19-11)', async () => {
  const { given } = golden.recurrent;
  const attention = new SimpleSequenceAttention({ stateNames: [], attendedDim: WIDTH });
  const transition = new SimpleRecurrent({ dim: DIM, activation: new Tanh() });
  const brick = new AttentionRecurrent({ transition, attention, weightsInit: new IsotropicGaussian(0.7) });
  brick.initialize(new RandomStreams(1));
  const { inputs = attendedMask, attended = attendedMask } = inputsOfGolden(given);
  const [weights] = [...brick.distribute.transforms.values()].map((transform) => transform.parameterNamed('W'));
  if (weights === undefined) throw new Error('a glimpse is transformed');
  const { states, step = attended } = brick.apply({ inputs, attended });
  const seen = add(inputs, dot(slice(attended, 0, TIME), weights));
  const { states: expected } = transition.apply({ inputs: seen });
  const results = [states ?? step, expected].map((rows) => [rows, ...grad(sum(square(rows)), [attended, weights])]);
  const f = await compile({
    inputs: [inputs, attended],
    outputs: [...results.flat(), step],
    engine: 'onnxruntime',
    threads: 1,
  });
  const found = await f.run(valuesOf(given, { inputs, attended }).map(([, array]) => array));
  await f.dispose();
  const lists = found.map(({ data }) => Array.from<number | bigint, number>(data, Number));

  for (const [place, values] of lists.slice(0, 3).entries()) {
    expect(values.length).toBeGreaterThan(0);
    for (const [at, value] of values.entries()) expect(value).toBeCloseTo(lists[place + 3]?.[at] ?? Number.NaN, 5);
  }
  expect(lists[6]).toEqual([1, 1, 1, 2, 2, 2, 3, 3, 3]);
  expect(() => attention.takeGlimpses({ attended })).toThrow('takeGlimpses is not given step');
});

function recurrentBrick(): AttentionRecurrent {
  return new AttentionRecurrent({
    transition: new GatedRecurrent({ dim: DIM }),
    attention: new SequenceContentAttention({ stateNames: ['states'], attendedDim: WIDTH, matchDim: MATCH }),
  });
}

/** 1.9-11, 1.9-12, 1.9-13, 1.9-14, 1.19-12, 1.19-13. */
describe('AttentionRecurrent gives what PyTorch gives, with its gradients', () => {
  test.each([
    ['plain', 'reference'],
    ['masked', 'onnxruntime'],
  ] as const)('%s on %s', async (kind, engine) => {
    const { parameters, given, mask, cases } = golden.recurrent;
    const brick = recurrentBrick();
    const byPath = setParameters(brick, parameters);
    const inputs = inputsOfGolden(given);
    const isMasked = kind === 'masked';
    const steps = [matrix('mask'), float32([TIME, BATCH], mask)] as const;
    const masks = isMasked ? { mask: steps[0], attended_mask: attendedMask } : {};
    await expectGolden(
      cases[kind],
      brick.apply({ ...inputs, ...masks }),
      { ...Object.fromEntries(byPath), ...inputs },
      [...valuesOf(given, inputs), ...(isMasked ? [steps, hidden] : [])],
      engine,
    );
  });
});

describe('AttentionRecurrent', () => {
  test('makes the two parts of a step by themselves', async () => {
    const { parameters, given } = golden.recurrent;
    const brick = recurrentBrick();
    setParameters(brick, parameters);
    const inputs = inputsOfGolden(given);
    const { attended, ...rows } = inputs;
    if (attended === undefined) throw new Error('the golden attends to nothing');
    const first = Object.fromEntries(
      Object.entries(rows).map(([name, variable]) => [
        name,
        tensor(`first_${name}`, 'float32', variable.shape.slice(1)),
      ]),
    );
    const states = brick.initialStates(BATCH, { attended });
    const glimpses = brick.takeGlimpses({ ...states, attended });
    const next = brick.computeStates({ ...first, ...states, ...glimpses });
    const whole = brick.apply(inputs);
    const f = await compile({
      inputs: [...Object.values(first), ...Object.values(inputs)],
      outputs: [...Object.values(next), ...Object.values(glimpses), ...Object.values(whole)],
      engine: 'reference',
      threads: 1,
    });
    const all = valuesOf(given, inputs).map(([, array]) => array);
    const firsts = all.slice(0, 2).map((array) => {
      const shape = array.shape.slice(1);
      return float32(
        shape,
        [...array.data].slice(
          0,
          shape.reduce((count, size) => count * size),
        ),
      );
    });
    const results = (await f.run([...firsts, ...all])).map(({ data }) => [...data]);
    for (const place of [0, 1, 2]) {
      expect(results[place + 3]?.slice(0, results[place]?.length)).toEqual(results[place]);
    }
    expect(Object.keys(whole)).toEqual(['states', 'weighted_averages', 'weights']);
  });

  test('knows its names and sizes, and preprocesses once, outside of the scan', () => {
    const brick = recurrentBrick();
    const apply = brick.application('apply');
    expect([apply.sequences, apply.states, apply.contexts, apply.inputs]).toEqual([
      ['mask', 'inputs', 'gate_inputs'],
      ['states', 'weighted_averages', 'weights'],
      ['attended', 'attended_mask'],
      ['mask', 'inputs', 'gate_inputs', 'states', 'weighted_averages', 'weights', 'attended', 'attended_mask'],
    ]);
    const { states = attendedMask } = brick.apply(inputsOfGolden(golden.recurrent.given));
    expect(brick.getDims(['states', 'gate_inputs', 'weighted_averages', 'attended', 'preprocessed_attended'])).toEqual([
      DIM,
      2 * DIM,
      WIDTH,
      WIDTH,
      MATCH,
    ]);
    const preprocessing = brick.attention.application('preprocess');
    expect([
      select(states).application(preprocessing).count,
      select(states).inside().application(preprocessing).count,
    ]).toEqual([2, 2]);
  });

  test('is copied with all that it is made of', () => {
    const copy = recurrentBrick().copy('twin');
    copy.allocate();
    expect(copy.attention.uniquePath).toBe('/twin/sequencecontentattention');
    expect(copy.children.map(({ name }) => name)).toEqual(['gatedrecurrent', 'sequencecontentattention', 'distribute']);
  });

  test('says what is missing', () => {
    const transition = new SimpleRecurrent({ dim: 2, activation: new Tanh() });
    const attention = new SimpleSequenceAttention({ stateNames: [], attendedDim: 3 });
    expect(() => new AttentionRecurrent({ transition, attention, addContexts: false })).toThrow(
      '/attentionrecurrent: the transition simplerecurrent has the contexts none; without addContexts give one that has',
    );
    expect(() => recurrentBrick().apply({ inputs: tensor('x', 'float32', [null, null, DIM]) })).toThrow(
      '/attentionrecurrent is not given attended, to which it attends; give it by that name',
    );
    const lazy = new SequenceContentAttention({ stateNames: ['states'] });
    expect(() => lazy.allocate()).toThrow('allocation config not set: stateDims[0], attendedDim, matchDim');
    expect(() => new SequenceContentAttention({ stateNames: ['states'], stateDims: [1, 2] })).toThrow(
      'stateDims has 2 entries but there are 1 names; give one for each',
    );
  });
});

test('ShallowEnergyComputer has no bias unless it is asked for one, also in a copy', () => {
  const made = new ShallowEnergyComputer({ name: 'energies', useBias: true });
  for (const [brick, names] of [
    [new ShallowEnergyComputer(), ['W']],
    [made.copy(), ['W', 'b']],
  ] as const) {
    [brick.inputDim.value, brick.outputDim.value] = [MATCH, 1];
    brick.allocate();
    expect(brick.children.flatMap(({ parameters }) => parameters.map(({ name }) => name))).toEqual(names);
  }
});
