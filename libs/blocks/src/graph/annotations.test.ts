import { identity, matrix, shared } from '@longrun/tensor';
import { expect, test } from 'vitest';

import { AUXILIARY, COST, rolesOf } from '../roles.js';
import { addAnnotation, Annotation, annotationsOf, blocksName } from './annotations.js';

class Remark extends Annotation {}
class OtherRemark extends Annotation {}

test('a variable has at most one annotation of a class', () => {
  const variable = matrix('x');
  const remark = new Remark();
  const other = new OtherRemark();
  addAnnotation(variable, remark);
  addAnnotation(variable, other);

  expect(() => addAnnotation(variable, new Remark())).toThrow(
    'x already has an annotation of class Remark; annotate a copy of it instead',
  );
  expect(annotationsOf(variable)).toEqual([remark, other]);
});

test('an auxiliary variable gets annotation, names and roles', () => {
  const remark = new Remark();
  const variable = identity(matrix('x'));
  remark.addAuxiliaryVariable(variable, { name: 'penalty', roles: [COST] });

  expect(remark.auxiliaryVariables).toEqual([variable]);
  expect(annotationsOf(variable)).toEqual([remark]);
  expect(rolesOf(variable)).toEqual([AUXILIARY, COST]);
  expect([variable.name, blocksName(variable)]).toEqual(['penalty', 'penalty']);
});

test('an auxiliary variable keeps its name where none is given', () => {
  const variable = matrix('x');
  new Remark().addAuxiliaryVariable(variable);

  expect([variable.name, blocksName(variable)]).toEqual(['x', undefined]);
});

test('annotations carry updates', () => {
  const remark = new Remark();
  const counter = shared(0, 'counter');
  const next = identity(counter);
  remark.addUpdate(counter, next);

  expect([...remark.updates]).toEqual([[counter, next]]);
});
