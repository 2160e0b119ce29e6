import {
  classificationCosts,
  Constant,
  defineExperiment,
  IsotropicGaussian,
  Linear,
  LSTM,
  MisclassificationRate,
  TRAINING_PARAMS,
  trainingLoop,
} from '@longrun/blocks';
import { drawnExamples, type Columns, type DataStream } from '@longrun/fuel';
import { ndarray, type RandomAt } from '@longrun/serialization';
import { dimshuffle, flatten, index, reshape, tensor, transpose } from '@longrun/tensor';
import { z } from 'zod';

/** Learns to say after each bit of a sequence whether the ones so far are odd in number, on short sequences, and is tried on longer ones. */
export default defineExperiment({
  name: 'parity',
  description: 'A recurrent network (LSTM) that learns the parity of bits.',
  params: z.strictObject({
    bits: z.int().min(1).default(16).meta({ description: 'Bits of a sequence in training.' }),
    testBits: z.int().min(1).default(100).meta({ description: 'Bits of a sequence in evaluation.' }),
    sequences: z.int().min(1).default(5000).meta({ description: 'Sequences in an epoch, all of them new.' }),
    dim: z.int().min(1).default(16).meta({ description: 'Units of the recurrent network.' }),
    ...TRAINING_PARAMS,
    batchSize: TRAINING_PARAMS.batchSize.default(50),
    epochs: TRAINING_PARAMS.epochs.default(5),
    learningRate: TRAINING_PARAMS.learningRate.default(0.01),
  }),
  build(context) {
    const { params, random, seed } = context;
    const { bits, testBits, sequences, dim, batchSize } = params;
    const stream = (stage: string, examplesCount: number, length: number): DataStream =>
      drawnExamples({
        sources: ['bits', 'parities'],
        examplesCount,
        batchSize,
        seed,
        stage,
        isRenewed: stage === 'train',
        draw: (numbers) => drawn(length, numbers),
      });

    const given = dimshuffle(tensor('bits', 'float32', ['batch', 'time']), [1, 0, 'x']);
    const parities = transpose(tensor('parities', 'uint8', ['batch', 'time']));
    const init = { weightsInit: new IsotropicGaussian(0.3), biasesInit: new Constant(0) };
    const gates = new Linear({ name: 'gates', inputDim: 1, outputDim: 4 * dim, ...init });
    const lstm = new LSTM({ dim, ...init });
    const readout = new Linear({ name: 'readout', inputDim: dim, outputDim: 2, ...init });
    for (const brick of [gates, lstm, readout]) brick.initialize(random);
    const logits = readout.apply(lstm.apply({ inputs: gates.apply(given) }).states);

    const { cost, misclassificationRate } = classificationCosts(flatten(parities), reshape(logits, [-1, 2]));
    const ofAll = new MisclassificationRate().apply(index(parities, -1), index(logits, -1));
    ofAll.name = 'last_bit_misclassification_rate';
    return trainingLoop(context, {
      cost,
      train: stream('train', sequences, bits),
      test: stream('test', 10 * batchSize, testBits),
      variables: [misclassificationRate, ofAll],
    });
  },
});

/** Bits, and after each one the parity of all so far. */
function drawn(length: number, random: RandomAt): Columns {
  const bits = Float32Array.from({ length }, () => random.integer(2));
  let parity = 0;
  const parities = Uint8Array.from(bits, (bit) => (parity = bit === 1 ? 1 - parity : parity));
  return new Map<string, ReturnType<typeof ndarray>>([
    ['bits', ndarray('float32', [length], bits)],
    ['parities', ndarray('uint8', [length], parities)],
  ]);
}
