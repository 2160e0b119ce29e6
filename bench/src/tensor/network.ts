import { Adam } from '@longrun/blocks';
import { ndarray, type NdArray, RandomStreams } from '@longrun/serialization';
import {
  add,
  at,
  type CompileOptions,
  dot,
  grad,
  mean,
  rectifier,
  shared,
  type SharedVariable,
  softmaxCrossEntropy,
  sub,
  tensor,
  type Variable,
} from '@longrun/tensor';

/** Of each layer. */
const DIMS = [784, 500, 500, 10] as const;
const [FEATURES, , , CLASSES] = DIMS;
export const LEARNING_RATE = 0.002;
/** So small that it makes no difference to what it is added: before the root is corrected by us, and after it by PyTorch. */
export const EPSILON = 1e-12;
export const BATCH_SIZE = 128;
/** How many batches there are, which are gone through again and again. */
const BATCHES = 32;

/**
 * What all begin with, by name: the parameters `W0`, `b0`, `W1` and so on, and the examples of all batches, `features` and `labels`. The
 * labels are drawn too, so that there is always something left to learn.
 */
export function beginning(): Map<string, NdArray> {
  const random = new RandomStreams(1);
  const tensors = new Map<string, NdArray>();
  for (const [layer, { inputs, outputs }] of LAYERS.entries()) {
    const stream = random.stream(`W${layer}`);
    // He et al. (2015): keeps the size of signals through rectifiers.
    const deviation = Math.sqrt(2 / inputs);
    const weights = Float32Array.from({ length: inputs * outputs }, () => deviation * stream.normal());
    tensors.set(`W${layer}`, ndarray('float32', [inputs, outputs], weights));
    tensors.set(`b${layer}`, ndarray('float32', [outputs]));
  }
  const examples = BATCHES * BATCH_SIZE;
  const [pixels, classes] = [random.stream('features'), random.stream('labels')];
  const features = Float32Array.from({ length: examples * FEATURES }, () => pixels.uniform());
  const labels = BigInt64Array.from({ length: examples }, () => BigInt(classes.integer(CLASSES)));
  tensors.set('features', ndarray('float32', [examples, FEATURES], features));
  return tensors.set('labels', ndarray('int64', [examples], labels));
}

/** One step of training, to be compiled: from features and labels of a batch, to the cost; parameters and what Adam has are updated. */
export function trainingStep(start: ReadonlyMap<string, NdArray>): CompileOptions {
  const features = tensor('features', 'float32', ['batch', FEATURES]);
  const labels = tensor('labels', 'int64', ['batch']);
  const parameters: SharedVariable[] = [];
  let output: Variable = features;
  for (const layer of LAYERS.keys()) {
    const [W, b] = [sharedOf(start, `W${layer}`), sharedOf(start, `b${layer}`)];
    parameters.push(W, b);
    output = add(dot(layer === 0 ? output : rectifier(output), W), b);
  }
  const cost = mean(softmaxCrossEntropy(output, labels));
  const gradients = new Map(grad(cost, parameters).map((gradient, position) => [at(parameters, position), gradient]));
  const { steps, updates } = new Adam({ learningRate: LEARNING_RATE, epsilon: EPSILON }).computeSteps(gradients);
  const trained = [...steps].map(([parameter, change]) => [parameter, sub(parameter, change)] as const);
  return { name: 'step', inputs: [features, labels], outputs: [cost], updates: [...updates, ...trained] };
}

/** Features and labels of all batches. */
export function batches(start: ReadonlyMap<string, NdArray>): NdArray[][] {
  const tensors = ['features', 'labels'].map((name) => tensorOf(start, name));
  return Array.from({ length: BATCHES }, (_, batch) => tensors.map((all) => rows(all, batch * BATCH_SIZE)));
}

const LAYERS = DIMS.slice(1).map((outputs, layer) => ({ inputs: at(DIMS, layer), outputs }));

/** A batch, from a row on. */
function rows({ dtype, shape, data }: NdArray, first: number): NdArray {
  const width = data.length / at(shape, 0);
  return ndarray(dtype, [BATCH_SIZE, ...shape.slice(1)], data.slice(first * width, (first + BATCH_SIZE) * width));
}

function sharedOf(start: ReadonlyMap<string, NdArray>, name: string): SharedVariable {
  return shared(tensorOf(start, name), name);
}

function tensorOf(start: ReadonlyMap<string, NdArray>, name: string): NdArray {
  const found = start.get(name);
  if (found === undefined) throw new Error(`there is no tensor ${name}, only ${[...start.keys()].join(', ')}`);
  return found;
}
