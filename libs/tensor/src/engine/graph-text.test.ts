import { assertNever, ndarray, type NdArray } from '@longrun/serialization';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { CALLS } from '../../test/valid-calls.js';
import { array, present } from '../../test/op-laws.js';
import {
  add,
  Apply,
  constant,
  Constant,
  defineOp,
  DISCONNECTED,
  equalGraphs,
  grad,
  ifElse,
  isFloat,
  madeFor,
  mul,
  reshape,
  scan,
  shared,
  softmax,
  sub,
  sum,
  tanh,
  tap,
  tensor,
  toposort,
  transpose,
  Variable,
  type InnerGraph,
  type Op,
  type OpParameter,
} from '../index.js';
import type { DenseArray } from '../arrays/dense-array.js';
import { constructorOf, madeBy } from '../graph/op.js';
import * as ops from '../ops/index.js';
import { CompileCache } from './compile-cache.js';
import { GraphText, Untold } from './graph-text.js';

function keyOf(inputs: readonly Variable[], outputs: readonly Variable[]): string {
  const text = new GraphText(inputs, toposort(outputs, { blockers: inputs, inside: true }));
  text.add(text.numbersOf(outputs));
  return CompileCache.keyOf(text.words);
}

function nodeOf({ owner }: Variable): Apply {
  if (owner === null) throw new Error('nothing computes it');
  return owner;
}

/** Every op, by its name: of each function of this room, and of its gradients. */
function allOps(): Map<string, Op> {
  const called = Object.entries(CALLS).flatMap(([name, given]) => {
    const call: unknown = Object.entries(ops).find(([exported]) => exported === name)?.[1];
    const made: unknown = typeof call === 'function' ? Reflect.apply(call, undefined, [...given]) : undefined;
    return variablesIn(made);
  });
  const gradients = called.flatMap((output) => {
    if (!isFloat(output.dtype)) return [];
    const inputs = toposort([output])
      .flatMap((node) => node.inputs)
      .filter((input) => input.owner === null && isFloat(input.dtype) && !(input instanceof Constant));
    try {
      return grad(sum(output), [...new Set(inputs)], { disconnectedInputs: 'zero' });
    } catch {
      return [];
    }
  });
  const nodes = toposort([...called, ...gradients], { inside: true });
  return new Map(nodes.map(({ op }) => [op.name, op]));
}

function variablesIn(made: unknown): Variable[] {
  if (made instanceof Variable) return [made];
  if (Array.isArray(made)) return made.flatMap(variablesIn);
  return typeof made === 'object' && made !== null ? Object.values(made).flatMap(variablesIn) : [];
}

/** Others that a parameter could be. */
function othersThan(parameter: OpParameter): OpParameter[] {
  if (typeof parameter === 'number') return [parameter + 1, -parameter - 1, parameter + 0.1, Number.NaN, Infinity, -0];
  if (typeof parameter === 'boolean') return [!parameter, String(parameter)];
  if (typeof parameter === 'string') return [`${parameter}x`, `${parameter}"`, `${parameter};a=1`];
  if (parameter === null) return [0, 'null', []];
  const list = [...parameter];
  const inside = list.flatMap((entry, at) => othersThan(entry).map((other) => list.with(at, other)));
  return [[...list, 0], [list], list.slice(1), ...inside].filter(
    (other) => JSON.stringify(other) !== JSON.stringify(list),
  );
}

/** An application of another op to the same. */
function applied(op: Op): Apply {
  const x = tensor('x', 'float32', [2]);
  const node = nodeOf(tanh(x));
  const copy: Apply = Object.create(node, { op: { value: op } });
  return copy;
}

function textOf(op: Op): string {
  const inside = toposort(op.inner?.outputs ?? [], { inside: true });
  return new GraphText([], [...inside, applied(op)]).words.join('\n');
}

test('every op is told by its name and by each of its parameters', () => {
  const found = allOps();
  const constructors = Object.values(ops).map((made) =>
    'op' in made && typeof made.op === 'function' ? made.op : made,
  );
  const names = constructors.flatMap((made) => ('opName' in made ? [made.opName] : []));
  expect([...found.keys()].toSorted()).toEqual([...new Set(names)].toSorted());
  const texts = new Map<string, string>();
  for (const [name, op] of found) {
    const opWith = (parameters: Op['parameters']): Op => madeBy(present(constructorOf(op)), { ...op, parameters });
    texts.set(textOf(op), name);
    for (const [key, parameter] of Object.entries(op.parameters)) {
      const others = othersThan(parameter).map((other) => textOf(opWith({ ...op.parameters, [key]: other })));
      const all = [textOf(op), ...others];
      expect({ name, key, different: new Set(all).size }).toEqual({ name, key, different: all.length });
    }
  }
  expect(texts.size).toBe(found.size);
});

/** An op of two earlier values, or of one and a new constant. */
interface Drawn {
  readonly op: 'add' | 'mul' | 'sub' | 'softmax' | 'transpose' | 'reshape' | 'scan' | 'ifElse';
  readonly operands: readonly [number, number];
  readonly constant: number | undefined;
}

const drawn: fc.Arbitrary<Drawn> = fc.record({
  op: fc.constantFrom('add', 'mul', 'sub', 'softmax', 'transpose', 'reshape', 'scan', 'ifElse'),
  operands: fc.tuple(fc.nat(2), fc.nat(2)),
  constant: fc.option(fc.constantFrom(0, -0, 1, Number.NaN), { nil: undefined }),
});

/** The graph of what was drawn, of which all values are outputs. */
function built(nodes: readonly Drawn[], inputs: readonly Variable[]): InnerGraph {
  const values = [...inputs];
  for (const node of nodes) values.push(valueOf(node, values));
  return { inputs, outputs: values.slice(inputs.length) };
}

function valueOf({ op, operands, constant: value }: Drawn, values: readonly Variable[]): Variable {
  const [first, other] = operands.map((operand) => present(values.at(-1 - (operand % values.length))));
  const a = present(first);
  const b = value === undefined ? present(other) : constant(value);
  switch (op) {
    case 'softmax':
      return softmax(a);
    case 'transpose':
      return transpose(a, value === 1 ? [0, 1] : [1, 0]);
    case 'reshape':
      return reshape(a, [value === 1 ? 2 : -1, 2]);
    case 'scan':
      return present(
        scan((row, state) => add(mul(row, state), sum(b)), { sequences: [a], outputsInfo: [sum(a, { axis: 0 })] })[0],
      );
    case 'ifElse':
      return present(
        ifElse(
          constant(true, 'bool'),
          () => mul(a, b),
          () => add(a, b),
        )[0],
      );
    case 'add':
      return add(a, b);
    case 'mul':
      return mul(a, b);
    case 'sub':
      return sub(a, b);
    default:
      return assertNever(op);
  }
}

test('keys are equal exactly where graphs are', () => {
  const small = fc.array(drawn, { minLength: 1, maxLength: 3 });
  let equal = 0;
  fc.assert(
    fc.property(small, small, fc.boolean(), (first, second, isSame) => {
      const [x, y] = [tensor('x', 'float32', [2, 2]), tensor('y', 'float32', [2, 2])];
      const [one, other] = [built(first, [x, y]), built(isSame ? first : second, [x, y])];
      const isEqual = equalGraphs(one, other);
      if (isEqual) equal += 1;
      return (keyOf(one.inputs, one.outputs) === keyOf(other.inputs, other.outputs)) === isEqual;
    }),
    { numRuns: 1000 },
  );
  expect(equal).toBeGreaterThan(100);
});

test('names, types, kinds, parts, tags, the order of inputs and what is shared are told, too', () => {
  const x = (): Variable => tensor('x', 'float32', [2]);
  const withTwo = (first: Variable, second: Variable): string => keyOf([first, second], [sub(first, second)]);
  const ofOne = (one: Variable): string => keyOf([one], [tanh(one)]);
  const named = (name: string | undefined): string => {
    const [input, output] = [x(), tanh(x())];
    output.name = name;
    return keyOf([input], [output]);
  };
  const [first, second] = [x(), x()];
  const value = constant(array('float32', [2], [1, 2]));
  const large = (last: number): Variable => constant(ndarray('float32', [99], new Float32Array(99).fill(last, 98)));
  const state = (data: NdArray): string => keyOf([], [tanh(shared(data, 'x'))]);
  const keys = [
    withTwo(first, second),
    keyOf([first, second], [sub(second, first)]),
    keyOf([first], [sub(first, second)]),
    ofOne(x()),
    ofOne(tensor('y', 'float32', [2])),
    ofOne(tensor('x', 'float64', [2])),
    ofOne(tensor('x', 'float32', [3])),
    ofOne(tensor('x', 'float32', [null])),
    ofOne(tensor('x', 'float32', ['n'])),
    ofOne(new Variable(x().type)),
    named(undefined),
    named(''),
    named('tanh.0'),
    state(array('float32', [2], [1, 2])),
    keyOf([], [tanh(x())]),
    keyOf([], [tanh(value)]),
    keyOf([], [tanh(constant(array('float32', [2], [1, -2])))]),
    keyOf([], [tanh(large(1))]),
    keyOf([], [tanh(large(2))]),
    keyOf([], [mul(value, value)]),
    keyOf([], [mul(value, constant(value.value))]),
    keyOf([], [tanh(value), tanh(value)]),
    keyOf(
      [],
      [
        madeFor(
          () => '/a',
          () => tanh(value),
        ),
      ],
    ),
    keyOf(
      [],
      [
        madeFor(
          () => '/b',
          () => tanh(value),
        ),
      ],
    ),
    keyOf([], [ops.identity(value)]),
    keyOf([], [tap(value, () => undefined)]),
  ];
  expect(new Set(keys).size).toBe(keys.length);
  const again = [
    withTwo(x(), x()),
    ofOne(x()),
    named('tanh.0'),
    state(array('float32', [2], [3, 4])),
    keyOf([], [tanh(large(1))]),
  ];
  expect(keys).toEqual(expect.arrayContaining(again));
});

test('of an inner graph it is told which applications share it, and what it shares with the graph around it', () => {
  const rows = tensor('rows', 'float32', [2, 3]);
  const scanned = (): Apply => nodeOf(present(scan((row) => tanh(row), { sequences: [rows] })[0]));
  const [one, other] = [scanned(), scanned()];
  const twice = new Apply(one.op, one.inputs);
  expect(keyOf([rows], [one.output, twice.output])).not.toBe(keyOf([rows], [one.output, other.output]));
  expect(keyOf([rows], [one.output, other.output])).toBe(keyOf([rows], [other.output, one.output]));
});

test('an op that is not of this room, by its name or by its functions, and what is given in place of what computes it are not told', () => {
  const x = tensor('x', 'float32', [2]);
  const own = defineOp({
    name: 'tanh',
    inferTypes: ([input]) => [present(input).type],
    grad: () => [DISCONNECTED],
    run: (inputs) => inputs,
  });
  const { op } = nodeOf(tanh(x));
  for (const impostor of [own(), { ...op, run: (inputs: readonly DenseArray[]) => inputs }]) {
    expect(() => keyOf([x], [new Apply(impostor, [x]).output])).toThrow(Untold);
  }
  const stray = new Variable(x.type, { owner: nodeOf(tanh(x)) });
  expect(() => keyOf([x], [mul(stray, 2)])).toThrow('tanh.0 is no output of what computes it');
  const given = tanh(x);
  expect(() => keyOf([given], [mul(given, 2)])).toThrow('tanh.0 is given in place of what computes it');
});
