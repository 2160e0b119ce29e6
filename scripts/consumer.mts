// What somebody writes who has installed the libraries: packages.test.mjs compiles it and runs it in a project of its own.
import { rm } from 'node:fs/promises';

import {
  Constant,
  FinishAfter,
  GradientDescent,
  IsotropicGaussian,
  MainLoop,
  MLP,
  Scale,
  Softmax,
  Tanh,
} from '@longrun/blocks';
import { loadProgram } from '@longrun/blocks/programs';
import { ApiUnreachable, Client } from '@longrun/client';
import { ExperimentSpec, type ExperimentSpecInput } from '@longrun/contracts';
import { DatasetStream, IndexableDataset, SequentialScheme } from '@longrun/fuel';
import { type NdArray, ndarray, RandomStreams, readSafetensors, writeSafetensors } from '@longrun/serialization';
import { ObservedTime } from '@longrun/serialization/observed-time';
import { lvector, matrix, mean, type Variable } from '@longrun/tensor';

const random = new RandomStreams(1);
const mlp = new MLP([new Tanh(), null], {
  dims: [3, 4, 2],
  weightsInit: new IsotropicGaussian(0.5),
  biasesInit: new Constant(0),
});
mlp.initialize(random);
const cost: Variable = mean(new Softmax().categoricalCrossEntropy(lvector('targets'), mlp.apply(matrix('features'))));
cost.name = 'cost';

const features: NdArray<'float32'> = ndarray(
  'float32',
  [8, 3],
  Float32Array.from({ length: 24 }, (_, at) => at / 24),
);
const targets = ndarray(
  'int64',
  [8],
  BigInt64Array.from({ length: 8 }, (_, at) => BigInt(at % 2)),
);
const mainLoop = new MainLoop({
  algorithm: new GradientDescent({ cost, stepRule: new Scale({ learningRate: 0.1 }) }),
  dataStream: new DatasetStream(new IndexableDataset({ features, targets }), new SequentialScheme(8, 4)),
  random,
  engine: 'onnxruntime',
  threads: 1,
  extensions: [new FinishAfter({ afterNBatches: 2 })],
});
await mainLoop.run();

const FILE = 'parameters.safetensors';
const parameters = await mainLoop.model.getParameterValues();
await writeSafetensors(FILE, parameters);
const { tensors } = await readSafetensors(FILE);
await rm(FILE);

const input: ExperimentSpecInput = { program: 'mlp', dataset: 'tiny' };
const client = new Client({ url: 'http://127.0.0.1:1', token: 'a-token-of-sixteen-or-more' });
const answer: unknown = await client.experiments.submit(input).catch((error: unknown) => error);

console.log(
  JSON.stringify({
    tensors: [...tensors].map(([name, { shape }]) => [name, shape]),
    areEqual: [...tensors].every(([name, { data }]) => String(data) === String(parameters.get(name)?.data)),
    seed: ExperimentSpec.parse({ ...input, seed: 7 }).seed,
    isUnreachable: answer instanceof ApiUnreachable,
    others: [typeof loadProgram, typeof ObservedTime],
  }),
);
