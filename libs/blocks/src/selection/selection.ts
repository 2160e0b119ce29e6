import type { DType, NdArray } from '@longrun/serialization';
import { ancestors, stopGradient, tap, type Dim, type OpName, type Variable } from '@longrun/tensor';

import type { Application } from '../bricks/application.js';
import type { BoundApplication } from '../bricks/bound-application.js';
import { ComputationGraph } from '../graph/computation-graph.js';
import type { VariableRole } from '../roles.js';
import {
  among,
  atPath,
  below,
  called,
  computedBy,
  inCallOf,
  madeBy,
  meeting,
  withCallId,
  withDType,
  withParent,
  withRoles,
  withShape,
  withVariableName,
  type BrickPattern,
  type NamePattern,
} from './criteria.js';
import { ANY, both, either, not, type Criterion } from './criterion.js';
import { explanation, funnel, namesOf } from './explanation.js';
import { downstream, upstream } from './flow.js';
import { GraphChange } from './graph-change.js';
import { withInside } from './variable-filter.js';

/** All variables of a graph, to be narrowed: `select(graph).role(WEIGHT).brick(Linear)`. */
export function select(graph: ComputationGraph | Variable | readonly Variable[]): Selection {
  return new Selection(graph instanceof ComputationGraph ? graph : new ComputationGraph(graph), ANY, false);
}

/**
 * Some variables of a graph, by what is asked of them. A value: each question gives a new selection, of those that meet it too, and each change
 * a new graph, which knows what every variable is as the old one did. In the order of the graph.
 *
 * The weights of an LSTM whose parent is called `foo`, with noise: `select(graph).role(WEIGHT).brick(LSTM).parent('foo').insertAfter(noisy)`.
 */
export class Selection implements Iterable<Variable> {
  readonly graph: ComputationGraph;
  readonly #criterion: Criterion;
  readonly #isInside: boolean;
  #variables: readonly Variable[] | undefined;

  /** See {@link select}. */
  constructor(graph: ComputationGraph, criterion: Criterion, isInside: boolean) {
    this.graph = graph;
    this.#criterion = criterion;
    this.#isInside = isInside;
  }

  /** Of these with any of the roles, or one derived from them. */
  role(...roles: readonly VariableRole[]): Selection {
    return this.#narrowed(withRoles(roles));
  }

  /** Of these with all of the roles. */
  eachRole(...roles: readonly VariableRole[]): Selection {
    return this.#narrowed(withRoles(roles, true));
  }

  /** Of these made by any of the bricks (not by a child of one): a brick, a class, or a name in which `*` and `?` may stand. */
  brick(...bricks: readonly BrickPattern[]): Selection {
    return this.#narrowed(madeBy(bricks));
  }

  /** Of these made by a brick that has any of these as its parent. */
  parent(...bricks: readonly BrickPattern[]): Selection {
    return this.#narrowed(withParent(bricks));
  }

  /** Of these made by a brick that has any of these above it, however far. */
  below(...bricks: readonly BrickPattern[]): Selection {
    return this.#narrowed(below(bricks));
  }

  /**
   * Of these at paths that a pattern matches: `/mlp/linear_0.W` of parameters and states, `/mlp/linear_0.apply.output` of what calls take and
   * give. `*` stands for any characters but `/`, `**` for any at all, `?` for one.
   */
  path(...patterns: readonly string[]): Selection {
    return this.#narrowed(atPath(patterns));
  }

  /** Of these made in a call of any of the applications: `applicationOf(Linear, 'apply')`, or `linear.application('apply')`. */
  application(...applications: readonly (Application | BoundApplication)[]): Selection {
    return this.#narrowed(inCallOf(applications));
  }

  /** Of these made in the call with this id. */
  callId(id: string): Selection {
    return this.#narrowed(withCallId(id));
  }

  /** Of these computed by any of the ops. What bricks take and give are copies, computed by `identity`. */
  op(...ops: readonly OpName[]): Selection {
    return this.#narrowed(computedBy(ops));
  }

  /** Of these of this shape, as far as it is known before there are data; null stands for any size. */
  shape(shape: readonly Dim[]): Selection {
    return this.#narrowed(withShape(shape));
  }

  /** Of these of any of the dtypes. */
  dtype(...dtypes: readonly DType[]): Selection {
    return this.#narrowed(withDType(dtypes));
  }

  /** Of these called so within their brick: `W`, `output`; a regular expression has to match from the start. */
  name(pattern: NamePattern): Selection {
    return this.#narrowed(called(pattern));
  }

  /** Of these with this name of their own: `linear_apply_output`. */
  variableName(pattern: NamePattern): Selection {
    return this.#narrowed(withVariableName(pattern));
  }

  /** Of these that a function chooses. @param text how it is called where the selection explains itself */
  where(predicate: (variable: Variable) => boolean, text = predicate.name || 'is chosen by a function'): Selection {
    return this.#narrowed(meeting(predicate, text));
  }

  /** Of these from which any of `targets` is computed, themselves left out where none is computed from another. */
  upstreamOf(targets: Variable | Iterable<Variable>): Selection {
    const roots = listOf(targets);
    return this.#narrowed(among(`${namesOf(roots)} is computed from it`, () => upstream(roots)));
  }

  /** Of these computed from any of `sources`, themselves left out where none is computed from another. */
  downstreamOf(sources: Variable | Iterable<Variable>): Selection {
    const roots = listOf(sources);
    return this.#narrowed(among(`is computed from ${namesOf(roots)}`, () => downstream(this.graph, roots)));
  }

  /** Also those within scans that are as asked. */
  inside(): Selection {
    return new Selection(this.graph, this.#criterion, true);
  }

  /** Those in both. */
  and(other: Selection): Selection {
    return this.#joined(other, both);
  }

  /** Those in either. */
  or(other: Selection): Selection {
    return this.#joined(other, either);
  }

  /** Of these that are not in the other. */
  except(other: Selection): Selection {
    return this.#joined(other, (own, others) => both(own, not(others)));
  }

  /** All variables of the graph that are not in this. */
  complement(): Selection {
    return new Selection(this.graph, not(this.#criterion), this.#isInside);
  }

  /** The variables, in the order of the graph. */
  get variables(): readonly Variable[] {
    this.#variables ??= this.#candidates().filter((variable) => this.#criterion.objection(variable) === undefined);
    return this.#variables;
  }

  get count(): number {
    return this.variables.length;
  }

  [Symbol.iterator](): Iterator<Variable> {
    return this.variables[Symbol.iterator]();
  }

  /** True where `variable` is selected. */
  has(variable: Variable): boolean {
    return this.variables.includes(variable);
  }

  /** This, where it has as many variables. @throws Error otherwise, with how many each question left */
  assertCount(count: number): this {
    if (this.count === count) return this;
    throw new Error(
      `select: ${this.count} ${this.count === 1 ? 'variable is' : 'variables are'} selected and not ${count}: ` +
        `${this.count === 0 ? 'none' : namesOf(this.variables)}\n${funnel(this.#candidates(), this.#criterion)}`,
    );
  }

  /** The one variable. @throws Error where there are none, or more */
  one(): Variable {
    const [variable] = this.assertCount(1).variables;
    if (variable === undefined) throw new Error('select: one variable is none');
    return variable;
  }

  /** Says of a variable whether it is selected, and why not: one line for each question. */
  explain(variable: Variable): string {
    if (this.#candidates().includes(variable)) return explanation(variable, this.#criterion);
    return `${namesOf([variable])} is not selected: ${this.#whyNoCandidate(variable)}`;
  }

  /** `14 variables: has the role WEIGHT, was made by one of the class Linear` */
  toString(): string {
    return `${this.count} ${this.count === 1 ? 'variable' : 'variables'}: ${this.#criterion.text}`;
  }

  /**
   * The graph with others in their places, inside of scans too. What `by` gives may be computed from the variable, which stands for itself there,
   * and from others that are replaced, which do not. Where it gives the variable itself, that one stays.
   *
   * @throws TensorTypeError where the type does not fit
   */
  replace(by: (variable: Variable) => Variable): GraphChange {
    const replacements = this.variables.map((variable) => [variable, by(variable)] as const);
    return GraphChange.of(this.graph, replacements);
  }

  /** As {@link replace}, by something that is computed from the variable: noise, a mask, a normalization. @throws Error where it is not */
  insertAfter(make: (variable: Variable) => Variable): GraphChange {
    return this.replace((variable) => {
      const made = make(variable);
      if (made === variable || ancestors([made]).includes(variable)) return made;
      throw new Error(
        `insertAfter: ${made.toString()} is not computed from ${variable.toString()}, after which it is to come; ` +
          'use replace to have something else in its place',
      );
    });
  }

  /** The graph that hands each value over at each run: see `tap` of `@longrun/tensor`. Not within scans. */
  tap(callback: (value: NdArray, variable: Variable) => void | Promise<void>): GraphChange {
    return this.replace((variable) => tap(variable, (value) => callback(value, variable)));
  }

  /**
   * The graph through which no gradient flows to these. A parameter that is reached by no other way is not among its `trainableParameters`, and so
   * `GradientDescent` leaves it as it is; it is saved like all others.
   */
  freeze(): GraphChange {
    return this.replace((variable) => stopGradient(variable));
  }

  /**
   * The graph with something of each among its outputs, named after its path, to be given to a monitoring extension.
   *
   * @param of what to compute of each: a norm, a mean. Default: the variable itself
   * @param suffix ends the names: `/mlp/linear_0.W` and `_norm`. Default none
   * @throws Error for one within a scan
   */
  monitor(of: (variable: Variable) => Variable = itself, suffix = ''): GraphChange {
    const made = this.variables.map((variable) => [variable, of(variable)] as const);
    return GraphChange.withOutputs(this.graph, made, suffix);
  }

  #narrowed(criterion: Criterion): Selection {
    return new Selection(this.graph, both(this.#criterion, criterion), this.#isInside);
  }

  #joined(other: Selection, join: (own: Criterion, others: Criterion) => Criterion): Selection {
    if (other.graph !== this.graph) {
      throw new Error('select: the two selections are of different graphs; make both of the same ComputationGraph');
    }
    const isInside = this.#isInside || other.#isInside;
    return new Selection(this.graph, join(this.#within(isInside), other.#within(isInside)), isInside);
  }

  /** What it asks of variables, where those within scans may be among them. */
  #within(isInside: boolean): Criterion {
    if (this.#isInside || !isInside) return this.#criterion;
    return both(
      among('is outside of scans', () => new Set(this.graph.variables)),
      this.#criterion,
    );
  }

  #candidates(): readonly Variable[] {
    return this.#isInside ? withInside(this.graph.variables) : this.graph.variables;
  }

  #whyNoCandidate(variable: Variable): string {
    const isWithin = !this.#isInside && this.graph.scanVariables.includes(variable);
    return isWithin ? 'it is within a scan; ask with inside()' : 'the graph does not have it';
  }
}

function listOf(variables: Variable | Iterable<Variable>): Variable[] {
  return Symbol.iterator in variables ? [...variables] : [variables];
}

function itself(variable: Variable): Variable {
  return variable;
}
