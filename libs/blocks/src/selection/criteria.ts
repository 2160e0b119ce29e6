import { namePattern, type DType } from '@longrun/serialization';
import { formatShape, formatType, type Dim, type Variable } from '@longrun/tensor';

import { Application } from '../bricks/application.js';
import { BoundApplication } from '../bricks/bound-application.js';
import { Brick } from '../bricks/brick.js';
import { blocksName } from '../graph/annotations.js';
import { getApplicationCall, getBrick } from '../graph/provenance.js';
import { pathOf } from '../graph/path-of.js';
import { hasRoles, rolesOf, type VariableRole } from '../roles.js';
import type { Criterion } from './criterion.js';

/** A class of bricks. */
export type BrickClass = abstract new (...args: never[]) => Brick;

/** Chooses bricks: one, all of a class, or those with a name; in a name `*` and `?` stand for any characters and for one. */
export type BrickPattern = Brick | BrickClass | string;

/** A name as it is, or what it has to match from the start (Python: `re.match`). */
export type NamePattern = string | RegExp;

/** Has any of the roles, or one derived from them; with `each`, all of them. */
export function withRoles(roles: readonly VariableRole[], each = false): Criterion {
  const joined = roles.join(each ? ' and ' : ' or ');
  return {
    text: `has the role ${joined}`,
    objection: (variable) => {
      if (hasRoles(variable, roles, { matchAll: each })) return undefined;
      const present = rolesOf(variable);
      return present.length === 0 ? 'it has no role' : `it has the role ${present.join(' and ')}`;
    },
  };
}

/** Was made by one of the bricks, not by a child of one. */
export function madeBy(bricks: readonly BrickPattern[]): Criterion {
  return ofBrick(`was made by ${shown(bricks)}`, bricks, (maker) => [maker], 'was made by');
}

/** Was made by a brick with one of these among its parents. */
export function withParent(bricks: readonly BrickPattern[]): Criterion {
  return ofBrick(
    `was made by a brick whose parent is ${shown(bricks)}`,
    bricks,
    (maker) => maker.parents,
    'the parents of its brick are',
  );
}

/** Was made by a brick with one of these above it, however far. */
export function below(bricks: readonly BrickPattern[]): Criterion {
  return ofBrick(
    `was made by a brick below ${shown(bricks)}`,
    bricks,
    (maker) => bricksAbove(maker),
    'the bricks above its own are',
  );
}

/** Has a path that one of the patterns matches: see {@link pathOf}. */
export function atPath(patterns: readonly string[]): Criterion {
  const expressions = patterns.map(namePattern);
  return {
    text: `has a path like ${patterns.join(' or ')}`,
    objection: (variable) => {
      const path = pathOf(variable);
      if (path === undefined) return 'it has no path, as no brick made it';
      return expressions.some((expression) => expression.test(path)) ? undefined : `its path is ${path}`;
    },
  };
}

/** Was made in a call of one of the applications. */
export function inCallOf(applications: readonly (Application | BoundApplication)[]): Criterion {
  return {
    text: `was made in a call of ${applications.map((one) => (one instanceof Application ? one.name : one.toString())).join(' or ')}`,
    objection: (variable) => {
      const call = getApplicationCall(variable);
      if (call === undefined) return 'no call made it';
      const isMet = applications.some((application) =>
        application instanceof BoundApplication
          ? call.application.equals(application)
          : call.application.application === application,
      );
      return isMet ? undefined : `it was made in a call of ${call.application.toString()}`;
    },
  };
}

/** Was made in a call with this id. */
export function withCallId(callId: string): Criterion {
  return {
    text: `was made in the call "${callId}"`,
    objection: (variable) => {
      const call = getApplicationCall(variable);
      if (call === undefined) return 'no call made it';
      const id = call.metadata.get('callId');
      if (id === callId) return undefined;
      return typeof id === 'string' ? `it was made in the call "${id}"` : 'its call has no id';
    },
  };
}

/** Is computed by one of the ops. */
export function computedBy(ops: readonly string[]): Criterion {
  return {
    text: `is computed by ${ops.join(' or ')}`,
    objection: ({ owner }) => {
      if (owner === null) return 'nothing computes it';
      return ops.includes(owner.op.name) ? undefined : `it is computed by ${owner.op.name}`;
    },
  };
}

/** Has this shape, as far as it is known before there are data; null stands for any size. */
export function withShape(shape: readonly Dim[]): Criterion {
  return {
    text: `has the shape ${formatShape(shape)}`,
    objection: (variable) => {
      const fits =
        variable.ndim === shape.length && shape.every((size, axis) => size === null || size === variable.shape[axis]);
      return fits ? undefined : `it is ${formatType(variable.type)}`;
    },
  };
}

/** Has one of the dtypes. */
export function withDType(dtypes: readonly DType[]): Criterion {
  return {
    text: `is ${dtypes.join(' or ')}`,
    objection: ({ dtype }) => (dtypes.includes(dtype) ? undefined : `it is ${dtype}`),
  };
}

/** Is called so within its brick: `W`, `output` (Blocks: `tag.name`). */
export function called(pattern: NamePattern): Criterion {
  return byName('is called', pattern, blocksName);
}

/** Has this name of its own: `linear_apply_output` (Blocks: `theano_name`). */
export function withVariableName(pattern: NamePattern): Criterion {
  return byName('has the name', pattern, (variable) => variable.name);
}

/** What a function says. */
export function meeting(predicate: (variable: Variable) => boolean, text: string): Criterion {
  return { text, objection: (variable) => (predicate(variable) ? undefined : 'it is not so') };
}

/** Is one of a set, which is found at the first question. */
export function among(text: string, find: () => ReadonlySet<Variable>): Criterion {
  let found: ReadonlySet<Variable> | undefined;
  return {
    text,
    objection: (variable) => ((found ??= find()).has(variable) ? undefined : 'it is not'),
  };
}

function byName(text: string, pattern: NamePattern, nameOf: (variable: Variable) => string | undefined): Criterion {
  return {
    text: `${text} ${pattern instanceof RegExp ? pattern.toString() : `"${pattern}"`}`,
    objection: (variable) => {
      const name = nameOf(variable);
      if (name === undefined) return 'it has no such name';
      const matches = pattern instanceof RegExp ? matchesFromStart(pattern, name) : name === pattern;
      return matches ? undefined : `it is called "${name}"`;
    },
  };
}

function ofBrick(
  text: string,
  patterns: readonly BrickPattern[],
  candidatesOf: (maker: Brick) => readonly Brick[],
  said: string,
): Criterion {
  const tests = patterns.map(testOf);
  return {
    text,
    objection: (variable) => {
      const maker = getBrick(variable);
      if (maker === undefined) return 'no brick made it';
      const candidates = candidatesOf(maker);
      if (candidates.some((brick) => tests.some((test) => test(brick)))) return undefined;
      if (candidates.length === 0) return `${describeBrick(maker)}, which made it, has no parent`;
      return `${said === 'was made by' ? 'it was made by' : said} ${candidates.map(describeBrick).join(', ')}`;
    },
  };
}

function testOf(pattern: BrickPattern): (brick: Brick) => boolean {
  if (pattern instanceof Brick) return (brick) => brick === pattern;
  if (typeof pattern === 'function') return (brick) => brick instanceof pattern;
  const expression = namePattern(pattern);
  return (brick) => expression.test(brick.name);
}

function bricksAbove(brick: Brick): Brick[] {
  const found = new Set<Brick>();
  const visit = (one: Brick): void => {
    for (const parent of one.parents) {
      if (found.has(parent)) continue;
      found.add(parent);
      visit(parent);
    }
  };
  visit(brick);
  return [...found];
}

function shown(bricks: readonly BrickPattern[]): string {
  return bricks
    .map((brick) => {
      if (brick instanceof Brick) return brick.uniquePath;
      return typeof brick === 'string' ? `one named ${brick}` : `one of the class ${brick.name}`;
    })
    .join(' or ');
}

function describeBrick(brick: Brick): string {
  return `${brick.uniquePath} (${brick.constructor.name})`;
}

function matchesFromStart(pattern: RegExp, name: string): boolean {
  // 'y' anchors at lastIndex, which a fresh copy has at 0.
  return new RegExp(pattern.source, `${pattern.flags.replace(/[gy]/g, '')}y`).test(name);
}
