import { ndarray, type NdArray } from '@longrun/serialization';

import {
  add,
  argmax,
  compile,
  constant,
  div,
  dot,
  grad,
  mean,
  mul,
  neq,
  pow,
  rectifier,
  shared,
  softmaxCrossEntropy,
  sqrt,
  square,
  sub,
  tensor,
  type CompiledFunction,
  type ComputeOptions,
  type SharedVariable,
  type Variable,
} from '../src/index.js';
import { array, present } from './op-laws.js';

/** A multilayer perceptron with rectifiers, softmax cross-entropy and misclassification rate: the network of golden/make_mlp_golden.py. */
export interface Mlp {
  readonly dims: readonly number[];
  readonly dtype: 'float32' | 'float64';
  readonly features: Variable;
  readonly targets: Variable;
  readonly cost: Variable;
  readonly misclassificationRate: Variable;
  /** Weights and biases, layer by layer. */
  readonly parameters: readonly SharedVariable[];
  readonly gradients: readonly Variable[];
}

export function mlp(dims: readonly number[], dtype: 'float32' | 'float64'): Mlp {
  const features = tensor('features', dtype, [null, present(dims[0])]);
  const targets = tensor('targets', 'int64', [null]);
  const parameters: SharedVariable[] = [];
  let output = features;
  for (let layer = 0; layer < dims.length - 1; layer += 1) {
    const [inputs, outputs] = [present(dims[layer]), present(dims[layer + 1])];
    const scale = 2 ** -Math.floor(Math.log2(Math.sqrt(inputs)) - 1);
    const weights = numbers(inputs * outputs, 10 + layer).map((value) => value * scale);
    const W = shared(array(dtype, [inputs, outputs], weights), `W${layer}`);
    const b = shared(
      array(
        dtype,
        [outputs],
        numbers(outputs, 20 + layer).map((value) => value * 0.25),
      ),
      `b${layer}`,
    );
    parameters.push(W, b);
    output = add(dot(output, W), b);
    if (layer < dims.length - 2) output = rectifier(output);
  }
  const cost = mean(softmaxCrossEntropy(output, targets));
  const misclassificationRate = mean(neq(argmax(output), targets));
  return { dims, dtype, features, targets, cost, misclassificationRate, parameters, gradients: grad(cost, parameters) };
}

const BETA1 = 0.9;
const BETA2 = 0.999;

/** A parameter and the moments of its gradient, around a step of Adam. */
export interface AdamState {
  readonly parameter: Variable;
  readonly average: Variable;
  readonly variance: Variable;
}

/** What a step of Adam makes of them, as Blocks writes it: with epsilon beside the square root of the variance as it is. */
export function adamStep(before: AdamState, gradient: Variable, rate: Variable, epsilon: number): AdamState {
  const average = add(mul(BETA1, before.average), mul(1 - BETA1, gradient));
  const variance = add(mul(BETA2, before.variance), mul(1 - BETA2, square(gradient)));
  const change = div(mul(rate, average), add(sqrt(variance), epsilon));
  return { parameter: sub(before.parameter, change), average, variance };
}

/** The learning rate of a step, of which the first is 1, corrected for moments that started from 0. */
export function adamRate(learningRate: number, step: Variable): Variable {
  const powerOf = (beta: number): Variable => pow(constant(beta, step.dtype), step);
  return mul(learningRate, div(sqrt(sub(1, powerOf(BETA2))), sub(1, powerOf(BETA1))));
}

/** The step of Adam, and every shared variable that it updates. */
export function adam(network: Mlp, epsilon = 1e-8): { updates: [SharedVariable, Variable][]; state: SharedVariable[] } {
  const { dtype } = network;
  const time = shared(0, 'time', { dtype });
  const step = add(time, 1);
  const rate = adamRate(0.002, step);
  const updates: [SharedVariable, Variable][] = [[time, step]];
  for (const [at, parameter] of network.parameters.entries()) {
    const gradient = present(network.gradients[at]);
    const zeros = ndarray(dtype, parameter.valueType.shape);
    const [average, variance] = [shared(zeros, `${parameter.name}.mean`), shared(zeros, `${parameter.name}.variance`)];
    const after = adamStep({ parameter, average, variance }, gradient, rate, epsilon);
    updates.push([average, after.average], [variance, after.variance], [parameter, after.parameter]);
  }
  return { updates, state: updates.map(([variable]) => variable) };
}

/** The whole training step as one function: cost and misclassification rate out, parameters and Adam's state updated. */
export async function trainingStep(
  network: Mlp,
  options: ComputeOptions & { readonly epsilon?: number } = {},
): Promise<{ train: CompiledFunction; state: SharedVariable[] }> {
  const { epsilon, ...target } = options;
  const { updates, state } = adam(network, epsilon);
  const train = await compile({
    name: 'train',
    inputs: [network.features, network.targets],
    outputs: [network.cost, network.misclassificationRate],
    updates,
    ...target,
  });
  return { train, state };
}

/** A batch of features in [0, 1) and integer targets; another one for each seed. */
export function batch(network: Pick<Mlp, 'dims' | 'dtype'>, size: number, seed: number): [NdArray, NdArray] {
  const [width, classes] = [present(network.dims[0]), present(network.dims.at(-1))];
  const features = numbers(size * width, 30 + seed).map((value) => value + 0.5);
  const targets = numbers(size, 40 + seed).map((value) => Math.floor((value + 0.5) * classes));
  return [array(network.dtype, [size, width], features), array('int64', [size], targets)];
}

/** The same floats in [-0.5, 0.5) as `numbers` of golden/make_mlp_golden.py. */
export function numbers(count: number, seed: number): number[] {
  return Array.from({ length: count }, (_, index) => {
    const first = (Math.imul(index, 2654435761) + seed * 40503 + 12345) >>> 0;
    const mixed = Math.imul(first ^ (first >>> 13), 1274126177) >>> 0;
    return (mixed >>> 12) / 2 ** 20 - 0.5;
  });
}
