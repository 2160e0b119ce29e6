import { ndarray, RandomStreams } from '@longrun/serialization';
import {
  add,
  constant,
  dot,
  evaluate,
  matrix,
  mul,
  scalar,
  scan,
  shared,
  sum,
  tanh,
  tensor,
  type Variable,
} from '@longrun/tensor';
import { describe, expect, test } from 'vitest';

import { Identity, Tanh } from '../bricks/activations.js';
import { applicationOf } from '../bricks/application.js';
import { Linear } from '../bricks/linear.js';
import { MLP } from '../bricks/mlp.js';
import { Sequence } from '../bricks/sequence.js';
import { ComputationGraph } from '../graph/computation-graph.js';
import { getApplicationCall } from '../graph/provenance.js';
import { pathOf } from '../graph/path-of.js';
import { addRole, BIAS, INPUT, OUTPUT, PARAMETER, rolesOf, WEIGHT } from '../roles.js';
import { replacementOf } from './graph-change.js';
import { select, type Selection } from './selection.js';

const encoder = new MLP([new Tanh({ name: 'tanh_0' }), new Tanh({ name: 'tanh_1' })], {
  name: 'encoder',
  dims: [2, 3, 4],
});
const decoder = new MLP([null], { name: 'decoder', dims: [4, 1] });
for (const mlp of [encoder, decoder]) mlp.allocate();
const [first = new Linear()] = encoder.linearTransformations;
const x = matrix('x');
const code = encoder.apply(x);
const output = decoder.apply(code);
const graph = new ComputationGraph(output);
const all = select(graph);

function paths(selection: Iterable<Variable>): (string | undefined)[] {
  return [...selection].map(pathOf);
}

describe('a selection asks for', () => {
  test.each<[string, Selection, readonly string[]]>([
    ['roles', all.role(BIAS), ['/encoder/linear_0.b', '/encoder/linear_1.b', '/decoder/linear_0.b']],
    ['all of some roles', all.eachRole(BIAS, PARAMETER).below(decoder), ['/decoder/linear_0.b']],
    ['a brick', all.brick(first).role(PARAMETER), ['/encoder/linear_0.W', '/encoder/linear_0.b']],
    ['the name of a brick', all.brick('*_1').role(PARAMETER), ['/encoder/linear_1.W', '/encoder/linear_1.b']],
    ['a class of bricks', all.brick(MLP).role(OUTPUT), ['/encoder.apply.output', '/decoder.apply.output']],
    ['the parent of the brick', all.role(WEIGHT).brick(Linear).parent('decoder'), ['/decoder/linear_0.W']],
    ['a brick above', all.role(WEIGHT).below('enc*'), ['/encoder/linear_0.W', '/encoder/linear_1.W']],
    [
      'a path',
      all.path('/encoder/*_0.?', '/decoder/**.b'),
      ['/encoder/linear_0.W', '/encoder/linear_0.b', '/decoder/linear_0.b'],
    ],
    [
      'an application',
      all.application(applicationOf(MLP, 'apply')).role(INPUT),
      ['/encoder.apply.input', '/decoder.apply.input'],
    ],
    [
      'an application of one brick',
      all.application(first.application('apply')).role(OUTPUT),
      ['/encoder/linear_0.apply.output'],
    ],
    [
      'a shape',
      all.shape([null, 4]).role(OUTPUT),
      ['/encoder/linear_1.apply.output', '/encoder/tanh_1.apply.output', '/encoder.apply.output'],
    ],
    ['a dtype and a name', all.dtype('float32').name(/outp/).below('decoder'), ['/decoder/linear_0.apply.output']],
    ['a name of its own', all.variableName('linear_1_apply_output'), ['/encoder/linear_1.apply.output']],
    ['anything', all.where(({ ndim }) => ndim === 1).below('decoder'), ['/decoder/linear_0.b']],
    ['what comes before', all.role(WEIGHT).upstreamOf(code), ['/encoder/linear_0.W', '/encoder/linear_1.W']],
    [
      'what comes after',
      all.role(OUTPUT).brick(Linear).downstreamOf(all.path('/encoder/linear_1.W')),
      ['/encoder/linear_1.apply.output', '/decoder/linear_0.apply.output'],
    ],
  ])('%s', (_, selection, expected) => {
    expect(paths(selection).filter((path) => path !== undefined)).toEqual(expected);
  });

  test('an op', () => {
    expect(all.op('dot').count).toBe(3);
    expect(all.op('tanh').upstreamOf(all.path('/encoder/linear_1.apply.output')).one().owner?.op.name).toBe('tanh');
  });
});

describe('selections are sets', () => {
  const atoms = [
    all,
    all.role(WEIGHT),
    all.role(OUTPUT),
    all.brick(Linear),
    all.below('encoder'),
    all.op('identity'),
    all.upstreamOf(code),
    all.downstreamOf(all.brick(first).role(WEIGHT)),
    all.shape([null]).name('b'),
  ];
  const pairs = atoms.flatMap((one, at) => atoms.slice(at).map((other) => [one, other] as const));

  test.each(pairs)('%s | %s', (one, other) => {
    const inOrder = (isIn: (variable: Variable) => boolean): Variable[] => graph.variables.filter(isIn);
    expect(one.and(other).variables).toEqual(inOrder((v) => one.has(v) && other.has(v)));
    expect(one.or(other).variables).toEqual(inOrder((v) => one.has(v) || other.has(v)));
    expect(one.except(other).variables).toEqual(inOrder((v) => one.has(v) && !other.has(v)));
    expect(one.or(other).complement().variables).toEqual(one.complement().and(other.complement()).variables);
  });

  test('of one graph only', () => {
    expect(() => all.and(select(output))).toThrow('the two selections are of different graphs');
  });
});

describe('a selection explains', () => {
  const weights = all.role(WEIGHT).brick(Linear).parent('foo');

  test('why a variable is in it or not, question by question', () => {
    expect(weights.explain(first.parameterNamed('b'))).toBe(
      [
        '/encoder/linear_0.b is not selected:',
        '  no   has the role WEIGHT: it has the role BIAS',
        '  yes  was made by one of the class Linear',
        '  no   was made by a brick whose parent is one named foo: the parents of its brick are /encoder (MLP)',
      ].join('\n'),
    );
    expect(all.role(BIAS).explain(first.parameterNamed('b'))).toBe(
      '/encoder/linear_0.b is selected:\n  yes  has the role BIAS',
    );
    expect(weights.explain(x)).toContain('no   was made by one of the class Linear: no brick made it');
    expect(weights.explain(matrix('other'))).toBe('other is not selected: the graph does not have it');
  });

  test.each(all.variables)('%s as it selects', (variable) => {
    for (const selection of [
      weights,
      all.role(OUTPUT),
      all.brick(Tanh).or(all.role(BIAS)),
      all.role(INPUT).complement(),
    ]) {
      expect(selection.explain(variable).includes('is selected')).toBe(selection.has(variable));
      expect(selection.explain(variable).includes('  no ')).toBe(!selection.has(variable));
    }
  });

  test('where a count is not met, how many each question left', () => {
    expect(all.role(WEIGHT).assertCount(3).count).toBe(3);
    expect(() => weights.assertCount(1)).toThrow(
      [
        'select: 0 variables are selected and not 1: none',
        `  ${graph.variables.length} in the graph`,
        '  3 left: has the role WEIGHT',
        '  3 left: was made by one of the class Linear',
        '  0 left: was made by a brick whose parent is one named foo',
      ].join('\n'),
    );
    expect(() => all.role(BIAS).below(encoder).one()).toThrow('/encoder/linear_0.b, /encoder/linear_1.b');
  });

  test('itself', () => {
    expect(String(all.role(WEIGHT, BIAS).below(encoder))).toBe(
      '4 variables: has the role WEIGHT or BIAS, was made by a brick below /encoder',
    );
  });
});

describe('a change', () => {
  test('of weights by name of the parent, as the paper has it, leaves all others as they were', () => {
    const noisy = all
      .role(WEIGHT)
      .brick(Linear)
      .parent('encoder')
      .insertAfter((W) => add(W, 1));
    expect(String(noisy)).toBe(
      '2 variables replaced:\n  /encoder/linear_0.W by add(W,1)\n  /encoder/linear_1.W by add(W,1)',
    );
    expect(noisy.variables.map(replacementOf)).toEqual([...all.role(WEIGHT).below('encoder')]);
    expect(provenance(noisy.graph)).toEqual(expect.arrayContaining(provenance(graph)));
    expect(graph.variables).toEqual(new ComputationGraph(output).variables);
  });

  test('that leaves nothing of a variable stands for it to all who ask', () => {
    const change = all
      .path('/encoder/tanh_0.apply.output')
      .replace((hidden) => mul(hidden.owner?.inputs[0] ?? hidden, 2));
    expect(provenance(change.graph)).toEqual(provenance(graph));
    expect(select(change.graph).path('/encoder/tanh_0.apply.output').one().owner?.op.name).toBe('mul');
  });

  test('by something else than the variable is refused where something is to come after it', () => {
    expect(() => all.role(BIAS).insertAfter(() => constant(1))).toThrow(
      'is not computed from b, after which it is to come',
    );
  });

  test('by nothing is none', () => {
    expect(String(all.role(WEIGHT).replace((variable) => variable))).toBe('0 variables replaced');
  });

  test('freezes parameters: no gradient reaches them', () => {
    const change = all.role(PARAMETER).below(encoder).freeze();
    expect(paths(change.graph.trainableParameters)).toEqual(['/decoder/linear_0.W', '/decoder/linear_0.b']);
    expect(change.graph.parameters).toHaveLength(6);
    expect(paths(all.path('/encoder.apply.output').freeze().graph.trainableParameters)).toHaveLength(2);
    expect(graph.trainableParameters).toHaveLength(6);
  });

  test('monitors something of each', () => {
    const change = all.role(WEIGHT).monitor((W) => sum(W), '_sum');
    expect(change.variables.map(({ name }) => name)).toEqual([
      '/encoder/linear_0.W_sum',
      '/encoder/linear_1.W_sum',
      '/decoder/linear_0.W_sum',
    ]);
    expect(change.graph.outputs).toEqual([output, ...change.variables]);
  });
});

describe('laws of changes', () => {
  const random = new RandomStreams(7).stream('changes');

  test('back-to-back matches are all found: each of a chain of copies is doubled once', async () => {
    for (const depth of [1, 2, 5]) {
      const chain = new Sequence(
        Array.from({ length: depth }, (_, at) => new Identity({ name: `copy_${at}` }).application('apply')),
      );
      const chosen = select(chain.apply(scalar('start'))).role(INPUT, OUTPUT);
      const change = chosen.insertAfter((variable) => mul(variable, 2));
      const [end = scalar('none')] = change.graph.outputs;
      const [start = end] = change.graph.inputs;
      const { data } = await evaluate(
        end,
        new Map([[start, { dtype: 'float32', shape: [], data: Float32Array.of(1) }]]),
      );
      expect([chosen.count, select(change.graph).op('mul').count, data[0]]).toEqual([
        2 * depth + 2,
        chosen.count,
        2 ** chosen.count,
      ]);
    }
  });

  test('provenance survives any: whatever is replaced, path, roles and call of all others are there as before', () => {
    for (let round = 0; round < 30; round += 1) {
      const drawn = new Set(graph.variables.filter(() => random.uniform() < round / 30));
      const chosen = all.where((variable) => drawn.has(variable)).dtype('float32');
      const kept = chosen.insertAfter((variable) => tanh(variable));
      expect(provenance(kept.graph)).toEqual(provenance(graph));
      for (const variable of all.except(chosen)) {
        const now = kept.standIn(variable);
        expect([pathOf(now), rolesOf(now), getApplicationCall(now)]).toEqual([
          pathOf(variable),
          rolesOf(variable),
          getApplicationCall(variable),
        ]);
      }
      const swapped = all.op('dot').replace(({ owner }) => dot(owner?.inputs[0] ?? x, owner?.inputs[1] ?? x));
      expect(provenance(swapped.graph)).toEqual(provenance(graph));
    }
  });
});

describe('within scans', () => {
  const weight = shared(ndarray('float32', [3, 3]), 'U');
  addRole(weight, WEIGHT);
  const [states = x] = scan((row: Variable, state: Variable) => tanh(add(row, dot(state, weight))), {
    sequences: [tensor('rows', 'float32', [null, 2, 3])],
    outputsInfo: [constant(ndarray('float32', [2, 3]))],
  });
  const scans = select(sum(states));

  test('variables are found where asked for', () => {
    expect(scans.op('tanh').count).toBe(0);
    expect(scans.inside().op('tanh', 'dot').count).toBe(2);
    const [inner = x] = scans.inside().op('tanh');
    expect(scans.op('tanh').explain(inner)).toContain('it is within a scan; ask with inside()');
  });

  test('flow goes in, around and out', () => {
    expect(scans.inside().op('dot', 'tanh', 'sum').downstreamOf(weight).count).toBe(3);
    const [rows = x] = scans.graph.inputs;
    // The product is of the state of the step before, which the rows have gone into.
    expect(scans.inside().op('dot').downstreamOf(rows).count).toBe(1);
    expect(scans.inside().op('dot').upstreamOf(states).count).toBe(1);
  });

  test('a selection that does not look inside has nothing there, whatever it is joined with', () => {
    const [whole, inside] = [scans, scans.inside()];
    expect(inside.count).toBeGreaterThan(whole.count);
    for (const one of [whole.and(inside), inside.and(whole)]) expect([...one]).toEqual([...whole]);
    for (const one of [whole.or(inside), inside.or(whole)]) expect([...one]).toEqual([...inside]);
    expect(whole.except(inside).count).toBe(0);
    expect(inside.except(whole).count).toBe(inside.count - whole.count);
    expect([...whole.except(inside.op('tanh'))]).toEqual([...whole]);
    // Asked of both, as of one.
    expect(scans.op('dot').or(scans.op('tanh')).inside().count).toBe(2);
  });

  test('what has a value for each step is not monitored', () => {
    expect(() => scans.inside().op('tanh').monitor()).toThrow(
      /^monitor: .* is within a scan, from where no values come out; monitor what the scan gives, by a selection without inside\(\)$/,
    );
    expect(scans.inside().op('sum').monitor().graph.outputs).toHaveLength(2);
  });

  test('changes go inside', () => {
    const change = scans
      .inside()
      .op('tanh')
      .insertAfter((variable) => mul(variable, 0.5));
    expect(select(change.graph).inside().op('mul').count).toBe(1);
    expect(scans.inside().op('mul').count).toBe(0);
  });
});

/** Path and roles of all that has any, in the order of the graph. */
function provenance({ variables }: ComputationGraph): string[] {
  const known = variables.filter((variable) => pathOf(variable) !== undefined);
  return known.map((variable) => `${pathOf(variable)}: ${rolesOf(variable).join(', ')}`);
}
