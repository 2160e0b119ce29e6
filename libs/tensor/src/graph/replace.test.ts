import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import {
  add,
  clone,
  compile,
  dot,
  graphInputs,
  mul,
  replace,
  scalar,
  sub,
  tagKey,
  tanh,
  tensor,
  toposort,
  type Variable,
} from '../index.js';
import { call } from '../../test/call-op.js';
import { array, present } from '../../test/op-laws.js';

const [x, y] = [scalar('x'), scalar('y')];

/** Random graphs over x and y: each step combines two earlier variables. */
const graphs = fc.array(fc.tuple(fc.nat(), fc.nat(), fc.nat(3)), { minLength: 1, maxLength: 12 }).map((steps) => {
  const variables: Variable[] = [x, y];
  for (const [first, second, which] of steps) {
    const a = present(variables[first % variables.length]);
    const b = present(variables[second % variables.length]);
    variables.push(which === 0 ? add(a, b) : which === 1 ? mul(a, b) : which === 2 ? sub(a, b) : tanh(a));
  }
  return variables;
});

test('replacing nothing, or a variable by itself, returns the same graph', () => {
  fc.assert(
    fc.property(graphs, (variables) => {
      const output = present(variables.at(-1));
      expect(replace([output], new Map())).toEqual([output]);
      expect(replace([output], new Map([[x, x]]))[0]).toBe(output);
    }),
  );
});

test('a replaced variable is gone from the graph, and the old graph is as it was', () => {
  fc.assert(
    fc.property(graphs, (variables) => {
      const output = present(variables.at(-1));
      const before = toposort([output]).length;
      const z = scalar('z');
      const [replaced] = replace([output], new Map([[x, z]]));
      expect(graphInputs([present(replaced)])).not.toContain(x);
      expect(toposort([present(replaced)])).toHaveLength(before);
      expect(graphInputs([output])).not.toContain(z);
    }),
  );
});

test('1.T-02: a clone shares inputs only and computes the same', async () => {
  await fc.assert(
    fc.asyncProperty(graphs, async (variables) => {
      const output = present(variables.at(-1));
      const [copy] = clone([output]);
      expect(copy === output).toBe(output.owner === null);
      const f = await compile({
        inputs: [x, y],
        outputs: [output, present(copy)],
        engine: 'reference',
        onUnusedInput: 'ignore',
      });
      const [first, second] = await f.run([array('float32', [], [0.3]), array('float32', [], [-0.7])]);
      expect(present(first).data).toEqual(present(second).data);
    }),
    { numRuns: 30 },
  );
});

test('a replacement that contains the variable it replaces is not a loop', () => {
  const noisy = add(x, scalar('noise'));
  const [output] = replace([tanh(x)], new Map([[x, noisy]]));
  expect(graphInputs([present(output)]).map(String)).toEqual(['x', 'noise']);
});

test('an intermediate variable can be replaced, and copies keep name and tag', () => {
  const key = tagKey<string>('role');
  const hidden = tanh(x);
  const output = mul(hidden, y);
  output.name = 'output';
  output.tag.set(key, 'OUTPUT');
  const [replaced] = replace([output], new Map([[hidden, scalar('dropped')]]));
  expect(present(replaced).name).toBe('output');
  expect(present(replaced).tag.get(key)).toBe('OUTPUT');
  expect(graphInputs([present(replaced)]).map(String)).toEqual(['dropped', 'y']);
});

test('a replacement of another type is refused, and one of a more exact type makes types more exact', () => {
  const features = tensor('features', 'float32', [null, 3]);
  expect(() => replace([features], new Map([[features, tensor('z', 'float64', [null, 3])]]))).toThrow(
    'replace: `z` float64 (null, 3) cannot stand in for `features` float32 (null, 3); give a replacement of float32 (null, 3)',
  );
  const product = dot(features, tensor('W', 'float32', [3, 2]));
  const [exact] = replace([product], new Map([[features, tensor('batch', 'float32', [128, 3])]]));
  expect(exact?.shape).toEqual([128, 2]);
});

test('what is inside of an inner graph can be replaced, by what is outside too', async () => {
  const mask = scalar('mask');
  const node = call([x], (one) => [tanh(mul(one, 2))]);
  const product = present(node.op.inner?.outputs[0]?.owner?.inputs[0]);
  const [output] = replace([node.output], new Map([[product, mul(product, mask)]]));
  expect(graphInputs([present(output)])).toEqual([x, mask]);
  const f = await compile({ inputs: [x, mask], outputs: [node.output, present(output)], engine: 'reference' });
  const [before, after] = await f.run([array('float32', [], [0.2]), array('float32', [], [3])]);
  expect(before?.data[0]).toBeCloseTo(Math.tanh(0.4), 6);
  expect(after?.data[0]).toBeCloseTo(Math.tanh(1.2), 6);
});

test('a clone of an inner graph has variables of its own', () => {
  const node = call([x], (one) => [tanh(one)]);
  const [copy] = clone([node.output]);
  const [old, twin] = [node, copy?.owner].map((one) => one?.op.inner?.outputs[0]);
  expect(twin).not.toBe(old);
  present(twin).name = 'renamed';
  expect(old?.name).toBeUndefined();
});
