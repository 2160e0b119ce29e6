import { ancestors, type Variable } from '@longrun/tensor';

import { Application } from '../bricks/application.js';
import { BoundApplication } from '../bricks/bound-application.js';
import { Brick } from '../bricks/brick.js';
import type { VariableRole } from '../roles.js';
import { called, inCallOf, madeBy, withCallId, withRoles, withVariableName, type BrickClass } from './criteria.js';
import { ANY, both, type Criterion } from './criterion.js';

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

/**
 * Selects variables of a graph as Blocks did: `new VariableFilter({ roles: [WEIGHT], bricks: [linear] }).select(graph.variables)`
 * (there: calling the filter). `select(graph)` asks for the same and more, and goes on to change the graph.
 */
export class VariableFilter {
  readonly criteria: VariableFilterCriteria;
  readonly #criterion: Criterion;

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
    this.#criterion = criterionOf(criteria);
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
    return this.#criterion.objection(variable) === undefined;
  }
}

/** `variables` with those of the inner graphs of what computes them, each before what has it. */
export function withInside(variables: Iterable<Variable>): Variable[] {
  const found = new Set<Variable>();
  for (const variable of variables) {
    for (const one of ancestors(variable.owner?.op.inner?.outputs ?? [], { inside: true })) found.add(one);
    found.add(variable);
  }
  return [...found];
}

function criterionOf(criteria: VariableFilterCriteria): Criterion {
  const { roles, eachRole, bricks, name, nameRegex, variableName, variableNameRegex, applications, callId } = criteria;
  const asked = [
    roles === undefined ? undefined : withRoles(roles, eachRole),
    bricks === undefined ? undefined : madeBy(bricks),
    name === undefined ? undefined : called(name),
    nameRegex === undefined ? undefined : called(nameRegex),
    variableName === undefined ? undefined : withVariableName(variableName),
    variableNameRegex === undefined ? undefined : withVariableName(variableNameRegex),
    applications === undefined ? undefined : inCallOf(applications),
    callId === undefined ? undefined : withCallId(callId),
  ];
  return asked.filter((criterion) => criterion !== undefined).reduce(both, ANY);
}
