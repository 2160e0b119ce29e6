import type { StepRule } from '@longrun/blocks';
import { ndarray, type NdArray, RandomStreams } from '@longrun/serialization';
import {
  at,
  type CompileOptions,
  grad,
  shared,
  type SharedVariable,
  sub,
  tensor,
  type Variable,
} from '@longrun/tensor';

/** A network that is trained beside the same in PyTorch, where it has the same name. */
export interface Network {
  /** In the arguments of both sides. */
  readonly name: string;
  /** In the table. */
  readonly what: string;
  /** Our time over that of the best of the peer. */
  readonly goal: number;
  /** In a block: about half a second. */
  readonly steps: number;
  /** How PyTorch is run: as it is, or as it may be faster. */
  readonly peers: readonly string[];
  /** Shapes of parameters and how far from 0 they are drawn, uniformly. */
  readonly parameters: Readonly<Record<string, { readonly shape: readonly number[]; readonly scale: number }>>;
  /** What is fed, in order. */
  readonly inputs: Readonly<Record<string, Fed>>;
  cost(input: Named, parameter: Named): Variable;
  /** What takes the steps. */
  rule(): StepRule;
  /** Rewrites that our side is allowed though they may change last bits. Default none. */
  readonly rewrites?: CompileOptions['rewrites'];
}

/** Floats in 0..1, or integers below a number. */
export interface Fed {
  readonly shape: readonly number[];
  readonly below?: number;
}

export type Named = (name: string) => Variable;

/** How many batches there are, which are gone through again and again. */
const BATCHES = 8;

/** What both sides begin with, by name: parameters, and inputs of all batches, along an axis before their own. */
export function beginning({ name, parameters, inputs }: Network): Map<string, NdArray> {
  const random = new RandomStreams(1);
  const tensors = new Map<string, NdArray>();
  for (const [key, { shape, scale }] of Object.entries(parameters)) {
    const stream = random.stream(`${name}.${key}`);
    tensors.set(
      key,
      ndarray(
        'float32',
        shape,
        floats(shape, () => scale * (2 * stream.uniform() - 1)),
      ),
    );
  }
  for (const [key, { shape, below }] of Object.entries(inputs)) {
    const stream = random.stream(`${name}.${key}`);
    const all = [BATCHES, ...shape];
    if (below === undefined)
      tensors.set(
        key,
        ndarray(
          'float32',
          all,
          floats(all, () => stream.uniform()),
        ),
      );
    else
      tensors.set(
        key,
        ndarray(
          'int64',
          all,
          BigInt64Array.from(
            floats(all, () => stream.integer(below)),
            BigInt,
          ),
        ),
      );
  }
  return tensors;
}

/** One step of training, to be compiled: from a batch to the cost; parameters and what the rule has are updated. */
export function trainingStep(network: Network, start: ReadonlyMap<string, NdArray>): CompileOptions {
  const inputs = new Map(
    Object.entries(network.inputs).map(([name, { shape, below }]) => [
      name,
      tensor(name, below === undefined ? 'float32' : 'int64', shape),
    ]),
  );
  const parameters = new Map(Object.keys(network.parameters).map((name) => [name, shared(valueOf(start, name), name)]));
  const cost = network.cost(
    (name) => valueOf(inputs, name),
    (name) => valueOf(parameters, name),
  );
  const all: SharedVariable[] = [...parameters.values()];
  const gradients = new Map(grad(cost, all).map((gradient, position) => [at(all, position), gradient]));
  const { steps, updates } = network.rule().computeSteps(gradients);
  const trained = [...steps].map(([parameter, change]) => [parameter, sub(parameter, change)] as const);
  return {
    name: network.name,
    inputs: [...inputs.values()],
    outputs: [cost],
    updates: [...updates, ...trained],
    rewrites: network.rewrites ?? [],
  };
}

/** The inputs of each batch. */
export function batches({ inputs }: Network, start: ReadonlyMap<string, NdArray>): NdArray[][] {
  return Array.from({ length: BATCHES }, (_, batch) =>
    Object.keys(inputs).map((name) => {
      const { dtype, shape, data } = valueOf(start, name);
      const size = data.length / BATCHES;
      return ndarray(dtype, shape.slice(1), data.slice(batch * size, (batch + 1) * size));
    }),
  );
}

function floats(shape: readonly number[], draw: () => number): Float32Array {
  return Float32Array.from({ length: shape.reduce((product, size) => product * size, 1) }, draw);
}

function valueOf<T>(values: ReadonlyMap<string, T>, name: string): T {
  const value = values.get(name);
  if (value === undefined) throw new Error(`there is no ${name}, only ${[...values.keys()].join(', ')}`);
  return value;
}
