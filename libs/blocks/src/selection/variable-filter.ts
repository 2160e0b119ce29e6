import { ancestors, type Variable } from '@longrun/tensor';

import { Application, ApplicationCall, BoundApplication } from './bricks/application.js';
import { Brick } from './bricks/brick.js';
import { annotationsOf, blocksName, type Annotation } from './graph/annotations.js';
import { hasRoles, type VariableRole } from './roles.js';

/** What a {@link VariableFilter} lets through: variables that meet all criteria given. */
export interface VariableFilterCriteria {
  /** Has any of these roles, or one derived from them. */
  readonly roles?: readonly VariableRole[];
  /** Has all of `roles`, not any. Default false. */
  readonly eachRole?: boolean;
  /** Was made by any of these bricks (not by their children), or by a brick of any of these classes. */
  readonly bricks?: readonly (Brick | BrickClass)[];
  /** Its Blocks name: `W`, `output`. */
  readonly name?: string;
  /** Its Blocks name matches from the start. */
  readonly nameRegex?: RegExp;
  /** Its own name: `linear_apply_output` (Blocks: `theano_name`). */
  readonly variableName?: string;
  /** Its own name matches from the start (Blocks: `theano_name_regex`). */
  readonly variableNameRegex?: RegExp;
  /** Was made in a call of any of these: an Application of any brick, or a BoundApplication of one. */
  readonly applications?: readonly (Application | BoundApplication)[];
  /** Was made in a call with this id. */
  readonly callId?: string;
}

/** A class of bricks. */
export type BrickClass = abstract new (...args: never[]) => Brick;

/**
 * Selects variables of a graph: `new VariableFilter({ roles: [WEIGHT], bricks: [linear] }).select(graph.variables)`
 * (Blocks: calling the filter).
 */
export class VariableFilter {
  readonly criteria: VariableFilterCriteria;

  /** @throws Error for something that is not a brick or an application where one is needed */
  constructor(criteria: VariableFilterCriteria) {
    for (const brick of criteria.bricks ?? []) {
      if (brick instanceof Brick || (typeof brick === 'function' && brick.prototype instanceof Brick)) continue;
      throw new Error(`VariableFilter: ${String(brick)} is not a brick; give instances or classes of Brick`);
    }
    for (const application of criteria.applications ?? []) {
      if (application instanceof Application || application instanceof BoundApplication) continue;
      throw new Error(
        `VariableFilter: ${String(application)} is not an application; ` +
          "give brick.application('apply') or applicationOf(Linear, 'apply')",
      );
    }
    this.criteria = criteria;
  }

  /**
   * Those of `variables` that meet the criteria, in the same order; with `inside`, also those of the inner graphs of the scans that
   * compute them, each before what the scan gives.
   */
  select<V extends Variable>(variables: Iterable<V>): V[];
  select(variables: Iterable<Variable>, options: { readonly inside: boolean }): Variable[];
  select(variables: Iterable<Variable>, options?: { readonly inside: boolean }): Variable[] {
    const candidates = options?.inside === true ? withInside(variables) : [...variables];
    return candidates.filter((variable) => this.matches(variable));
  }

  /** True when `variable` meets all criteria. */
  matches(variable: Variable): boolean {
    const { roles, eachRole, bricks, name, nameRegex, variableName, variableNameRegex, applications, callId } =
      this.criteria;
    if (roles !== undefined && !hasRoles(variable, roles, { matchAll: eachRole ?? false })) return false;
    if (bricks !== undefined && !madeByAny(getBrick(variable), bricks)) return false;
    if (name !== undefined && blocksName(variable) !== name) return false;
    if (nameRegex !== undefined && !matchesFromStart(nameRegex, blocksName(variable))) return false;
    if (variableName !== undefined && variable.name !== variableName) return false;
    if (variableNameRegex !== undefined && !matchesFromStart(variableNameRegex, variable.name)) return false;
    if (applications !== undefined && !calledAny(getApplicationCall(variable), applications)) return false;
    if (callId !== undefined && getApplicationCall(variable)?.metadata.get('callId') !== callId) return false;
    return true;
  }
}

/** `variables` with those of the inner graphs of what computes them, each before what has it. */
function withInside(variables: Iterable<Variable>): Variable[] {
  const found = new Set<Variable>();
  for (const variable of variables) {
    for (const one of ancestors(variable.owner?.op.inner?.outputs ?? [], { inside: true })) found.add(one);
    found.add(variable);
  }
  return [...found];
}

/** The first annotation of a class. */
export function getAnnotation<A extends Annotation>(
  variable: Variable,
  annotationClass: abstract new (...args: never[]) => A,
): A | undefined {
  return annotationsOf(variable).find((annotation): annotation is A => annotation instanceof annotationClass);
}

/** The brick that made `variable`. */
export function getBrick(variable: Variable): Brick | undefined {
  return getAnnotation(variable, Brick);
}

/** The call that made `variable`. */
export function getApplicationCall(variable: Variable): ApplicationCall | undefined {
  return getAnnotation(variable, ApplicationCall);
}

function madeByAny(maker: Brick | undefined, bricks: readonly (Brick | BrickClass)[]): boolean {
  if (maker === undefined) return false;
  return bricks.some((brick) => (brick instanceof Brick ? maker === brick : maker instanceof brick));
}

function calledAny(
  call: ApplicationCall | undefined,
  applications: readonly (Application | BoundApplication)[],
): boolean {
  if (call === undefined) return false;
  return applications.some((application) =>
    application instanceof BoundApplication
      ? call.application.equals(application)
      : call.application.application === application,
  );
}

function matchesFromStart(pattern: RegExp, name: string | undefined): boolean {
  if (name === undefined) return false;
  // Python's re.match; 'y' anchors at lastIndex, which a fresh copy has at 0.
  return new RegExp(pattern.source, `${pattern.flags.replace(/[gy]/g, '')}y`).test(name);
}
