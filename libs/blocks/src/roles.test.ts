import { matrix } from '@longrun/tensor';
import { expect, test } from 'vitest';

import * as roles from './roles.js';
import { addRole, BIAS, hasRoles, INPUT, PARAMETER, PERSISTENT, rolesOf, VariableRole, WEIGHT } from './roles.js';

test('there are the 25 roles of Blocks, with its parents, and that of the states that bricks draw from', () => {
  const constants = Object.entries(roles).filter(([, value]) => value instanceof VariableRole);

  expect(Object.fromEntries(constants.map(([name, role]) => [name, parentOf(role)]))).toEqual({
    INPUT: null,
    OUTPUT: null,
    COST: null,
    PERSISTENT: null,
    PARAMETER: 'PERSISTENT',
    WEIGHT: 'PARAMETER',
    FILTER: 'WEIGHT',
    BIAS: 'PARAMETER',
    INITIAL_STATE: 'PARAMETER',
    COLLECTOR: 'PARAMETER',
    BATCH_NORM_SCALE_PARAMETER: 'PARAMETER',
    BATCH_NORM_SHIFT_PARAMETER: 'BIAS',
    BATCH_NORM_POPULATION_STATISTICS: 'PERSISTENT',
    BATCH_NORM_POPULATION_MEAN: 'BATCH_NORM_POPULATION_STATISTICS',
    BATCH_NORM_POPULATION_STDEV: 'BATCH_NORM_POPULATION_STATISTICS',
    RANDOM_STATE: null,
    AUXILIARY: null,
    DROPOUT: null,
    COLLECTED: null,
    ALGORITHM_STATE: null,
    ALGORITHM_HYPERPARAMETER: 'ALGORITHM_STATE',
    ALGORITHM_BUFFER: 'ALGORITHM_STATE',
    BATCH_NORM_GRAPH_VARIABLE: null,
    BATCH_NORM_OFFSET: 'BATCH_NORM_GRAPH_VARIABLE',
    BATCH_NORM_DIVISOR: 'BATCH_NORM_GRAPH_VARIABLE',
    BATCH_NORM_MINIBATCH_ESTIMATE: 'BATCH_NORM_GRAPH_VARIABLE',
  });
  for (const [name, role] of constants) expect(String(role)).toBe(name);
});

test('a more specific role replaces its ancestors', () => {
  const variable = matrix('x');
  addRole(variable, PERSISTENT);
  addRole(variable, INPUT);
  addRole(variable, WEIGHT);

  expect(rolesOf(variable)).toEqual([INPUT, WEIGHT]);
});

test('an ancestor of a role that is there changes nothing', () => {
  const variable = matrix('x');
  addRole(variable, WEIGHT);
  addRole(variable, PARAMETER);
  addRole(variable, WEIGHT);

  expect(rolesOf(variable)).toEqual([WEIGHT]);
});

test('a role counts as its ancestors, not as its descendants or siblings', () => {
  const variable = matrix('x');
  addRole(variable, WEIGHT);

  expect(hasRoles(variable, [PERSISTENT])).toBe(true);
  expect(hasRoles(variable, [roles.FILTER])).toBe(false);
  expect(hasRoles(variable, [BIAS])).toBe(false);
});

test('any of the roles is enough unless all are asked for', () => {
  const variable = matrix('x');
  addRole(variable, WEIGHT);
  addRole(variable, INPUT);

  expect(hasRoles(variable, [BIAS, INPUT])).toBe(true);
  expect(hasRoles(variable, [BIAS, INPUT], { matchAll: true })).toBe(false);
  expect(hasRoles(variable, [PARAMETER, INPUT], { matchAll: true })).toBe(true);
});

test('roles of a copy of the tag do not change with the original', () => {
  const [original, copy] = [matrix('x'), matrix('y')];
  addRole(original, INPUT);
  copy.tag.assign(original.tag);
  addRole(original, WEIGHT);

  expect(rolesOf(copy)).toEqual([INPUT]);
});

test('roles of one’s own fit into the hierarchy', () => {
  const mask = new VariableRole('MASK', INPUT);
  const variable = matrix('x');
  addRole(variable, mask);

  expect(hasRoles(variable, [INPUT])).toBe(true);
  expect(hasRoles(matrix('y'), [mask])).toBe(false);
});

function parentOf(role: unknown): string | null {
  return role instanceof VariableRole ? (role.parent?.name ?? null) : null;
}
