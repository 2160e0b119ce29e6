import {
  classificationCosts,
  Constant,
  defineExperiment,
  IsotropicGaussian,
  Linear,
  LookupTable,
  Orthogonal,
  SimpleRecurrent,
  Softmax,
  Tanh,
  TRAINING_PARAMS,
  trainingLoop,
} from '@longrun/blocks';
import { drawnExamples, type DataStream } from '@longrun/fuel';
import { ndarray, type RandomAt } from '@longrun/serialization';
import { abs, constant, div, flatten, mean, reshape, slice, sub, sum, take, tensor, transpose } from '@longrun/tensor';
import { z } from 'zod';

const Transitions = z
  .array(
    z
      .array(z.number().min(0, 'a probability is at least 0'))
      .refine((row) => Math.abs(row.reduce((total, one) => total + one, 0) - 1) < 1e-9, {
        message: 'the probabilities of a row do not add up to 1',
        params: { remedy: 'give one that does' },
      }),
  )
  .min(2, 'give at least 2 states')
  .refine((rows) => rows.every((row) => row.length === rows.length), {
    message: 'there are not as many probabilities in each row as there are rows',
    params: { remedy: 'give a square matrix' },
  })
  .meta({ description: 'From each state, the probability of each one to follow.' });

/** Learns a Markov chain from sequences that it draws by itself: what a recurrent network takes to follow each state comes to be what does. */
export default defineExperiment({
  name: 'markov-chain',
  description: 'A recurrent network that learns the transitions of a Markov chain from sequences of its states.',
  params: z.strictObject({
    transitions: Transitions.default([
      [0.1, 0.5, 0.4],
      [0.1, 0.9, 0.0],
      [0.3, 0.3, 0.4],
    ]),
    steps: z.int().min(1).default(100).meta({ description: 'Transitions in a sequence.' }),
    sequences: z.int().min(1).default(1000).meta({ description: 'Sequences in an epoch, all of them new.' }),
    dim: z.int().min(1).default(10).meta({ description: 'Units of the recurrent network.' }),
    ...TRAINING_PARAMS,
    batchSize: TRAINING_PARAMS.batchSize.default(10),
    epochs: TRAINING_PARAMS.epochs.default(10),
  }),
  build(context) {
    const { params, random, seed } = context;
    const { transitions, steps, sequences, dim, batchSize } = params;
    const states = transitions.length;
    const stream = (stage: string, examplesCount: number): DataStream =>
      drawnExamples({
        sources: ['states'],
        examplesCount,
        batchSize,
        seed,
        stage,
        isRenewed: stage === 'train',
        draw: (numbers) => new Map([['states', chain(transitions, steps + 1, numbers)]]),
      });

    const visited = transpose(tensor('states', 'int64', ['batch', steps + 1]));
    const [before, after] = [slice(visited, 0, steps), slice(visited, 1, steps + 1)];
    const weightsInit = new IsotropicGaussian(0.1);
    const lookup = new LookupTable({ length: states, dim, weightsInit });
    const transition = new SimpleRecurrent({ dim, activation: new Tanh(), weightsInit: new Orthogonal() });
    const readout = new Linear({ inputDim: dim, outputDim: states, weightsInit, biasesInit: new Constant(0) });
    for (const brick of [lookup, transition, readout]) brick.initialize(random);
    const { states: memory } = transition.apply({ inputs: lookup.apply(before) });
    const logits = reshape(readout.apply(memory), [-1, states]);

    const { cost } = classificationCosts(flatten(after), logits);
    const truth = take(
      constant(ndarray('float32', [states, states], Float32Array.from(transitions.flat()))),
      flatten(before),
      { axis: 0 },
    );
    // What is expected has seen all states before, and is to depend on the last one only.
    const distance = mean(div(sum(abs(sub(new Softmax().apply(logits), truth)), { axis: 1 }), 2));
    distance.name = 'transition_distance';
    return trainingLoop(context, {
      cost,
      train: stream('train', sequences),
      test: stream('test', 10 * batchSize),
      variables: [distance],
    });
  },
});

/** States of the chain one after the other, from any of them. */
function chain(
  transitions: readonly (readonly number[])[],
  length: number,
  random: RandomAt,
): ReturnType<typeof ndarray<'int64'>> {
  const states = new BigInt64Array(length);
  let state = random.integer(transitions.length);
  for (const at of states.keys()) {
    states[at] = BigInt(state);
    state = following(transitions[state] ?? [], random.uniform());
  }
  return ndarray('int64', [length], states);
}

/** The state in whose part of the probabilities a number from 0 to 1 lies. */
function following(probabilities: readonly number[], number: number): number {
  let total = 0;
  for (const [state, probability] of probabilities.entries()) {
    total += probability;
    if (number < total) return state;
  }
  return probabilities.findLastIndex((probability) => probability > 0);
}
