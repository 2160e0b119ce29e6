import { readFileSync } from 'node:fs';

import { decodeSafetensors, type NdArray } from '@longrun/serialization';
import { describe, expect, test } from 'vitest';

import { constant, grad, tensor, type Variable } from '../src/index.js';
import { BEYOND_LIMITS, ENGINES, runWithinLimits } from './engines.js';
import { NETWORKS, type Named } from './golden/networks.js';
import { adamRate, adamStep } from './mlp.js';
import { array, present } from './op-laws.js';

const { tensors } = decodeSafetensors(readFileSync(new URL('golden/training.safetensors', import.meta.url)));

/** As in make_training_goldens.py: the learning rate, which step is made, and epsilon, which PyTorch has beside the corrected root. */
const [RATE, STEP] = [0.05, 3];
const EPSILON = 1e-8 * Math.sqrt(1 - 0.999 ** STEP);

const tolerances = [
  { dtype: 'float64', tolerance: 1e-12 },
  { dtype: 'float32', tolerance: 1e-5 },
] as const;

test('every network that has goldens is here', () => {
  const names = new Set([...tensors.keys()].map((key) => key.slice(0, key.indexOf('.'))));
  expect([...names].toSorted()).toEqual(Object.keys(NETWORKS).toSorted());
});

describe.each(ENGINES)('on $name', (engine) => {
  describe.each(tolerances)('$dtype', ({ dtype, tolerance }) => {
    test.each(Object.entries(NETWORKS))("%s has PyTorch's cost, gradients and step of Adam", async (name, build) => {
      const fed = new Map<Variable, NdArray>();
      const variables = (kind: string): Map<string, Variable> => {
        const named = new Map<string, Variable>();
        for (const [key, value] of valuesOf(name, kind)) {
          const isFloat = value.dtype === 'float64';
          const variable = tensor(key, isFloat ? dtype : value.dtype, value.shape);
          fed.set(variable, isFloat ? array(dtype, value.shape, Array.from(value.data, Number)) : value);
          named.set(key, variable);
        }
        return named;
      };
      const [inputs, parameters] = [variables('input'), variables('parameter')];
      const [averages, variances] = [variables('average'), variables('variance')];
      const cost = build(namedBy(inputs), namedBy(parameters));
      const gradients = grad(cost, [...parameters.values()]);
      const rate = adamRate(RATE, constant(STEP, dtype));
      const updated = [...parameters].map(([key, parameter], at) => {
        const before = { parameter, average: present(averages.get(key)), variance: present(variances.get(key)) };
        return adamStep(before, present(gradients[at]), rate, EPSILON).parameter;
      });

      const outputs = [cost, ...gradients, ...updated];
      const results = await runWithinLimits(engine, [...fed.keys()], outputs, [...fed.values()]);
      expect(results !== BEYOND_LIMITS || dtype === 'float64').toBe(true);
      if (results === BEYOND_LIMITS) return;

      const expected = [
        present(tensors.get(`${name}.cost`)),
        ...valuesOf(name, 'gradient').values(),
        ...valuesOf(name, 'updated').values(),
      ];
      const distances = results.map((result, at) => relativeDistance(result, present(expected[at])));
      expect(Math.max(...distances)).toBeLessThan(tolerance);
      expect(results).toHaveLength(2 * parameters.size + 1);
    });
  });
});

/** The stored values of one kind, by name; gradients and parameters come in the same order. */
function valuesOf(network: string, kind: string): Map<string, NdArray> {
  const prefix = `${network}.${kind}.`;
  const keys = [...tensors.keys()].filter((key) => key.startsWith(prefix)).toSorted();
  return new Map(keys.map((key) => [key.slice(prefix.length), present(tensors.get(key))]));
}

function namedBy(variables: ReadonlyMap<string, Variable>): Named {
  return (name) => present(variables.get(name));
}

/** The largest difference as a part of the largest expected value; infinite where shapes differ. */
function relativeDistance(actual: NdArray, expected: NdArray): number {
  if (String(actual.shape) !== String(expected.shape)) return Infinity;
  const wanted = Array.from(expected.data, Number);
  const differences = wanted.map((want, at) => Math.abs(Number(actual.data[at]) - want));
  return Math.max(...differences) / Math.max(...wanted.map(Math.abs));
}
