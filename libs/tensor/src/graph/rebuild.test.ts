import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import {
  add,
  ancestors,
  Apply,
  compile,
  mul,
  rebuild,
  replace,
  replaceInOrder,
  scalar,
  sub,
  tagKey,
  tanh,
  tensor,
  toposort,
  type Op,
  type Variable,
  type Visit,
} from '../index.js';
import { call } from '../../test/call-op.js';
import { array, present } from '../../test/op-laws.js';

const [x, y] = [scalar('x'), scalar('y')];
const ROLE = tagKey<string>('role');

/** Random graphs over x and y, some variables with name and role, some parts inside of inner graphs. */
const graphs = fc
  .array(fc.tuple(fc.nat(), fc.nat(), fc.nat(4), fc.boolean()), { minLength: 1, maxLength: 12 })
  .map((steps) => {
    const variables: Variable[] = [x, y];
    for (const [first, second, which, named] of steps) {
      const a = present(variables[first % variables.length]);
      const b = present(variables[second % variables.length]);
      const result = build(which, a, b);
      if (named) {
        result.name = `v${variables.length}`;
        result.tag.set(ROLE, `role of v${variables.length}`);
      }
      variables.push(result);
    }
    return variables;
  });

function build(which: number, a: Variable, b: Variable): Variable {
  switch (which) {
    case 0:
      return add(a, b);
    case 1:
      return mul(a, b);
    case 2:
      return sub(a, b);
    case 3:
      return tanh(a);
    default:
      return call([a], (one) => {
        const inside = mul(one, b);
        inside.name = 'inside';
        inside.tag.set(ROLE, 'role inside');
        return [add(inside, one)];
      }).output;
  }
}

function provenance(outputs: readonly Variable[]): string[] {
  return ancestors(outputs, { inside: true })
    .flatMap((variable) => {
      const { name = '', tag } = variable;
      return name === '' && tag.isEmpty ? [] : [`${name} ${tag.get(ROLE)} ${variable.owner?.op.name}`];
    })
    .toSorted();
}

/** Rules that make every kind of application anew, in one or two applications. */
const anew: Visit = (node) => {
  const [a, b] = node.inputs;
  if (node.op.name === 'sub') return [sub(present(a), present(b))];
  if (node.op.name === 'mul') return [mul(present(b), present(a))];
  if (node.op.name === 'add') return [add(tanh(present(a)), present(b))];
  return undefined;
};

describe('rebuild', () => {
  test('by a visit that changes nothing returns the same graph', () => {
    fc.assert(
      fc.property(graphs, (variables) => {
        expect(rebuild(variables, () => undefined).outputs).toEqual(variables);
        expect(rebuild(variables, (node) => node.outputs).outputs.every((one, at) => one === variables[at])).toBe(true);
      }),
    );
  });

  test('keeps names and tags, inside of inner graphs too, and leaves the old graph as it was', () => {
    fc.assert(
      fc.property(graphs, (variables) => {
        const before = provenance(variables);
        expect(provenance(rebuild(variables, anew).outputs)).toEqual(before);
        expect(provenance(variables)).toEqual(before);
      }),
    );
  });

  test('keeps the values where the rule does', async () => {
    const commute: Visit = ({ op, inputs: [a, b] }) => (op.name === 'mul' ? [mul(present(b), present(a))] : undefined);
    await fc.assert(
      fc.asyncProperty(graphs, async (variables) => {
        const output = present(variables.at(-1));
        const outputs = [output, ...rebuild([output], commute).outputs];
        const f = await compile({ inputs: [x, y], outputs, engine: 'reference', onUnusedInput: 'ignore' });
        const [first, second] = await f.run([array('float32', [], [0.3]), array('float32', [], [-0.7])]);
        expect(present(first).data).toEqual(present(second).data);
      }),
      { numRuns: 30 },
    );
  });

  test('visits each application once, with its rebuilt inputs, and says what stands in for what', () => {
    const square = mul(x, x);
    const output = add(tanh(square), square);
    const visited: string[] = [];
    const { outputs, standIn } = rebuild([output, square], (node, old) => {
      visited.push(`${node.op.name}${node === old ? '' : ' of new inputs'}`);
      return node.op.name === 'mul' ? [add(x, x)] : undefined;
    });
    expect(visited).toEqual(['mul', 'tanh of new inputs', 'add of new inputs']);
    expect(standIn(square)).toBe(outputs[1]);
    expect(standIn(y)).toBe(y);
  });

  test('takes a variable that was there before as it is', () => {
    const nothing = mul(x, 1);
    nothing.name = 'nothing';
    const { outputs, standIn } = rebuild([tanh(nothing)], ({ op, inputs }) =>
      op.name === 'mul' ? [present(inputs[0])] : undefined,
    );
    expect(outputs[0]?.owner?.inputs).toEqual([x]);
    expect([x.name, standIn(nothing)]).toEqual(['x', x]);
  });

  test('refuses what has another type, or too few variables', () => {
    const v = tensor('v', 'float32', [2]);
    expect(() => rebuild([tanh(v)], () => [x])).toThrow(
      'rebuild: `x` float32 () cannot stand in for `tanh.0` float32 (2,); give a replacement of float32 (2,)',
    );
    expect(() => rebuild([tanh(v)], () => [])).toThrow('rebuild: 0 variables cannot stand in for 1 of tanh');
  });

  test('of inner graphs takes in what the outside brings, as an input more', async () => {
    const node = call([x], (one) => [tanh(one)]);
    const { outputs } = rebuild([node.output], ({ op, inputs: [a] }) =>
      op.name === 'tanh' ? [mul(present(a), tanh(y))] : undefined,
    );
    expect(outputs[0]?.owner?.inputs.map(String)).toEqual(['x', 'tanh.0']);
    const f = await compile({ inputs: [x, y], outputs, engine: 'reference' });
    const [result] = await f.run([array('float32', [], [3]), array('float32', [], [1])]);
    expect(Number(result?.data[0])).toBeCloseTo(3 * Math.tanh(1), 6);
  });
});

describe('replaceInOrder', () => {
  test('is replacing one after the other, each in the replacements of those after it', () => {
    fc.assert(
      fc.property(graphs, fc.array(fc.tuple(fc.nat(), fc.nat(), fc.nat(4)), { maxLength: 5 }), (variables, picks) => {
        const output = present(variables.at(-1));
        const order = ancestors([output]).filter((one) => one.owner !== null || one === x || one === y);
        const replacements = new Map<Variable, Variable>();
        for (const [key, other, which] of picks) {
          const at = key % order.length;
          // Out of itself and what comes before it, as a noisy input or a layer with dropout.
          replacements.set(present(order[at]), build(which, present(order[at]), present(order[other % (at + 1)])));
        }
        expect(shape(replaceInOrder([output], replacements).outputs)).toEqual(
          shape(oneByOne(output, order, replacements)),
        );
      }),
    );
  });

  test('of one variable is replacing it, whatever of the graph its replacement is computed from', () => {
    fc.assert(
      fc.property(graphs, fc.nat(), fc.nat(), fc.nat(4), (variables, key, other, which) => {
        const output = present(variables.at(-1));
        const order = ancestors([output]).filter((one) => one.owner !== null || one === x || one === y);
        const [old, used] = [present(order[key % order.length]), present(order[other % order.length])];
        const replacements = new Map([[old, build(which, used, old)]]);
        expect(shape(replaceInOrder([output], replacements).outputs)).toEqual(shape(replace([output], replacements)));
      }),
    );
  });

  test('infers types as often as the graph and the replacements are long, however many keys there are', () => {
    const counts = [100, 200].map((length) => {
      let inferred = 0;
      const counted: Op = {
        ...present(tanh(x).owner ?? undefined).op,
        inferTypes: ([input]) => {
          inferred += 1;
          return [present(input).type];
        },
      };
      const apply = (input: Variable): Variable => new Apply(counted, [input]).output;
      let output: Variable = x;
      const replacements = new Map<Variable, Variable>();
      for (let step = 0; step < length; step += 1) {
        output = apply(output);
        replacements.set(output, apply(output));
      }
      inferred = 0;
      const [result] = replaceInOrder([output], replacements).outputs;
      expect(toposort([present(result)])).toHaveLength(2 * length);
      return inferred;
    });
    expect(counts[1]).toBeLessThanOrEqual(2 * present(counts[0]) + 10);
  });
});

/** What `replaceInOrder` promises, said with {@link rebuild} for one key after the other. */
function oneByOne(
  output: Variable,
  order: readonly Variable[],
  replacements: ReadonlyMap<Variable, Variable>,
): Variable[] {
  const pending = order.flatMap((variable): [Variable, Variable][] => {
    const replacement = replacements.get(variable);
    return replacement === undefined ? [] : [[variable, replacement]];
  });
  let outputs = [output];
  for (let next = pending.shift(); next !== undefined; next = pending.shift()) {
    const { standIn } = rebuild([...outputs, ...pending.flat()], () => undefined, { replacements: new Map([next]) });
    outputs = outputs.map(standIn);
    for (const [at, pair] of pending.entries()) pending[at] = [standIn(pair[0]), standIn(pair[1])];
  }
  return outputs;
}

/** The graph without identities. */
function shape(outputs: readonly Variable[]): unknown {
  const seen = new Map<Variable, unknown>();
  for (const node of toposort(outputs)) {
    for (const output of node.outputs) {
      seen.set(output, [node.op.name, output.index, ...node.inputs.map((input) => seen.get(input) ?? String(input))]);
    }
  }
  return outputs.map((output) => seen.get(output) ?? String(output));
}
