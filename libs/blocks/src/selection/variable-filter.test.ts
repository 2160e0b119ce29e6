import { matrix } from '@longrun/tensor';
import { describe, expect, test } from 'vitest';

import { Tanh } from '../bricks/activations.js';
import { applicationOf } from '../bricks/application.js';
import { Linear } from '../bricks/linear.js';
import { MLP } from '../bricks/mlp.js';
import { getAnnotation, getApplicationCall, getBrick } from '../graph/provenance.js';
import { VariableFilter, type VariableFilterCriteria } from './variable-filter.js';
import { ComputationGraph } from '../graph/computation-graph.js';
import { AUXILIARY, BIAS, INPUT, OUTPUT, PARAMETER, WEIGHT } from '../roles.js';

const mlp = new MLP([new Tanh(), null], { dims: [2, 3, 1] });
mlp.allocate();
const [linear = new Linear()] = mlp.linearTransformations;
const [hidden] = linear.application('apply').call([matrix('other')], { callId: 'extra' });
if (hidden === undefined) throw new Error('no output');
const { variables } = new ComputationGraph([mlp.apply(matrix('x')), hidden]);

function names(criteria: VariableFilterCriteria): (string | undefined)[] {
  return new VariableFilter(criteria).select(variables).map((variable) => variable.name);
}

describe('a filter selects by', () => {
  test('role, derived roles included', () => {
    expect(names({ roles: [WEIGHT] })).toEqual(['W', 'W']);
    expect(names({ roles: [PARAMETER] })).toEqual(['W', 'b', 'W', 'b']);
    expect(names({ roles: [WEIGHT, BIAS] })).toHaveLength(4);
    expect(names({ roles: [WEIGHT, BIAS], eachRole: true })).toEqual([]);
  });

  test('brick: an instance, without its children', () => {
    expect(names({ bricks: [linear], roles: [PARAMETER] })).toEqual(['W', 'b']);
    expect(names({ bricks: [mlp] })).toEqual(['mlp_apply_input', 'mlp_apply_output']);
  });

  test('brick: a class', () => {
    expect(names({ bricks: [Tanh] })).toEqual(['tanh_apply_input', 'tanh_apply_output']);
    expect(names({ bricks: [Linear, MLP], roles: [INPUT, OUTPUT] })).toHaveLength(8);
  });

  test('name within the brick', () => {
    expect(names({ name: 'W' })).toEqual(['W', 'W']);
    expect(names({ name: 'linear_0_apply_output' })).toEqual([]);
    expect(names({ nameRegex: /W_/ })).toEqual(['W_norm', 'W_norm']);
    expect(names({ nameRegex: /norm/ })).toEqual([]);
  });

  test('name of the variable', () => {
    expect(names({ variableName: 'linear_1_apply_output' })).toEqual(['linear_1_apply_output']);
    expect(names({ variableNameRegex: /LINEAR_.*_input$/i })).toEqual([
      'linear_0_apply_input',
      'linear_1_apply_input',
      'linear_0_apply_input',
    ]);
    expect(names({ variableNameRegex: /apply/g })).toEqual([]);
  });

  test('application, of any brick or of one', () => {
    expect(names({ applications: [applicationOf(Linear, 'apply')], roles: [OUTPUT] })).toHaveLength(3);
    expect(names({ applications: [linear.application('apply')], roles: [OUTPUT] })).toHaveLength(2);
  });

  test('call id', () => {
    expect(names({ callId: 'extra' })).toEqual(['linear_0_apply_input', 'linear_0_apply_output']);
  });

  test('all criteria at once, in the order of the variables', () => {
    expect(names({ roles: [AUXILIARY], bricks: [linear], name: 'b_norm' })).toEqual(['b_norm']);
    const reversed = variables.toReversed();
    expect(new VariableFilter({ roles: [PARAMETER] }).select(reversed)).toEqual(
      new VariableFilter({ roles: [PARAMETER] }).select(variables).toReversed(),
    );
  });
});

test('what is neither brick nor application is refused', () => {
  // Types forbid it; programs in JavaScript do not know that.
  const criteria: unknown[] = [{ bricks: ['linear'] }, { bricks: [Map] }, { applications: [linear] }];

  for (const wrong of criteria) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the point of the test
    expect(() => new VariableFilter(wrong as VariableFilterCriteria)).toThrow(/is not a(n application| brick)/);
  }
});

test('annotations are found by class', () => {
  expect(getBrick(hidden)).toBe(linear);
  expect(getAnnotation(hidden, Linear)).toBe(linear);
  expect(getAnnotation(hidden, MLP)).toBeUndefined();
  expect(getApplicationCall(hidden)?.application.toString()).toBe('/mlp/linear_0.apply');
  expect(getBrick(matrix('x'))).toBeUndefined();
});
