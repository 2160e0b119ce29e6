import type { NdArray } from '@longrun/serialization';
import { describe, expect, test } from 'vitest';

import {
  add,
  describe as describeVariable,
  formatShape,
  formatType,
  grad,
  isFloat,
  square,
  sum,
  tensor,
  type Dim,
  type Variable,
} from '../src/index.js';
import { ENGINES, widest, type TestedEngine } from './engines.js';
import { BUILDERS } from './golden/builders.js';
import { opGoldens } from './golden/op-golden.js';
import { valuesOf } from './golden/random-graphs.js';
import { inputsOf, SCAN_GRAPHS } from './golden/scan-goldens.js';
import { present } from './op-laws.js';
import { verdictsOf, type Proposal, type Trial } from './trials.js';

/**
 * A graph of inputs of which some sizes are not known is built three times: without names, with one name for all sizes that are equal, and with
 * a name for each size. Values and gradients must be the same bit for bit, and what the types say true of them.
 */
interface Graph {
  readonly name: string;
  readonly values: readonly NdArray[];
  /** Of the inputs: null for the sizes that get names. */
  readonly shapes: readonly (readonly Dim[])[];
  readonly build: (inputs: Variable[]) => readonly Variable[];
}

const goldens = opGoldens();

const ofOps = Object.entries(BUILDERS).flatMap(([op, build]): Graph[] =>
  present(goldens.get(op)).map((golden) => ({
    name: `${op}, ${golden.name}`,
    values: golden.inputs,
    shapes: golden.inputs.map(({ shape }) => shape.map((size) => (size === 1 ? 1 : null))),
    build: (inputs) => [build(inputs, golden.parameters)].flat(),
  })),
);

const ofScans = SCAN_GRAPHS.map(({ seed, shapes, nodes, outputs }, at): Graph => ({
  name: `scan, seed ${seed}`,
  values: inputsOf(at),
  shapes,
  build: (inputs) => {
    const values = valuesOf(nodes, inputs);
    return outputs.map((position) => present(values[position]));
  },
}));

/** How many graphs are run as one function. */
const AT_ONCE = 8;

/** All graphs are tried by `npm run proofs`, and one of so many with each run of the tests. */
const PART = process.env['LONGRUN_PROOFS'] === 'all' ? 1 : 4;

describe.each(ENGINES)('on $name', (engine) => {
  test.each([
    { what: 'ops', all: ofOps },
    { what: 'scans', all: ofScans },
  ])('names of sizes change no value, and types are true: $what', async ({ all }) => {
    // Names are no engine's business: each has its share, and together they have all.
    const graphs = all.filter((_, at) => at % (ENGINES.length * PART) === ENGINES.indexOf(engine));
    const proposals = graphs.map((graph, at) => proposal(engine, graph, at));
    const { judged, misfits } = await verdictsOf(engine, proposals, AT_ONCE);
    expect(misfits).toEqual([]);
    expect(judged.length).toBeGreaterThan(graphs.length / 2);
  });
});

type Naming = (size: number, input: number, axis: number) => Dim;

function proposal(engine: TestedEngine, graph: Graph, at: number): Proposal {
  const namings: readonly Naming[] = [
    () => null,
    (size) => `of${size}`,
    (_, input, axis) => `graph${at}_input${input}_axis${axis}`,
  ];
  const values = graph.values.map((value) => widest(engine, value));
  return { name: graph.name, build: () => trial({ ...graph, values }, namings) };
}

function trial({ values, shapes, build }: Graph, namings: readonly Naming[]): Trial {
  const sizes = new Map<Dim, number>();
  const versions = namings.map((naming) => {
    const inputs = values.map((value, input) => {
      const shape = value.shape.map((size, axis) => {
        const dim = present(shapes[input])[axis] ?? naming(size, input, axis);
        sizes.set(dim, size);
        return dim;
      });
      return tensor(`input${input}`, value.dtype, shape);
    });
    return { inputs, ...withGradients(build(inputs), inputs) };
  });
  const outputs = versions.flatMap((version) => version.outputs);
  return {
    inputs: versions.flatMap(({ inputs }) => inputs),
    values: versions.flatMap(() => values),
    outputs,
    judge: (results) => [
      ...outputs.flatMap(({ type, owner }, at) => {
        const { shape } = present(results[at]);
        const isTrue = type.shape.every((dim, axis) => dim === null || (sizes.get(dim) ?? dim) === shape[axis]);
        return isTrue ? [] : [`${owner?.op.name} is ${formatType(type)} but has the size ${formatShape(shape)}`];
      }),
      ...outputs.flatMap((_, at) => {
        const [result, unnamed] = [present(results[at]), present(results[at % (outputs.length / namings.length)])];
        return equalBits(result, unnamed)
          ? []
          : [`output ${at} is ${String(result.data)}, not ${String(unnamed.data)}`];
      }),
      ...versions.flatMap(({ gradients }) =>
        gradients.flatMap(({ variable, gradient }) =>
          variable.shape.every(
            (dim, axis) => dim === null || dim === gradient.shape[axis] || sizes.get(dim) === gradient.shape[axis],
          )
            ? []
            : [`the gradient of ${describeVariable(variable)} is ${formatType(gradient.type)}`],
        ),
      ),
    ],
  };
}

/** Outputs, and behind them the gradients of the sum of their squares. */
function withGradients(
  outputs: readonly Variable[],
  inputs: readonly Variable[],
): {
  readonly outputs: readonly Variable[];
  readonly gradients: readonly { readonly variable: Variable; readonly gradient: Variable }[];
} {
  const costs = outputs.filter(({ dtype }) => isFloat(dtype)).map((output) => sum(square(output)));
  const wrt = inputs.filter(({ dtype }) => isFloat(dtype));
  if (costs.length === 0) return { outputs, gradients: [] };
  const cost = costs.reduce((a, b) => add(a, b));
  const gradients = grad(cost, wrt, { disconnectedInputs: 'zero' });
  return {
    outputs: [...outputs, ...gradients],
    gradients: gradients.map((gradient, at) => ({ variable: present(wrt[at]), gradient })),
  };
}

function equalBits(first: NdArray, second: NdArray): boolean {
  return (
    String(first.shape) === String(second.shape) &&
    first.data.every((value: number | bigint, at: number) => Object.is(value, second.data[at]))
  );
}
