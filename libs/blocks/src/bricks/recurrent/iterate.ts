import { ancestors, at, concatenate, dimension, expandDims, flip, scan, Variable, type Apply } from '@longrun/tensor';

import { isInput } from '../../graph/computation-graph.js';
import { annotationsOf, blocksName } from '../../graph/annotations.js';
import { hasRoles, INPUT, OUTPUT, type VariableRole } from '../../roles.js';
import { ApplicationCall } from '../application-call.js';
import type { BoundApplication } from '../bound-application.js';
import { isList, type ApplicationResult, type NamedVariables } from '../tagging.js';
import type { RecurrentCallOptions } from './call-options.js';
import { checkSequences, pick } from './given-variables.js';

/**
 * Makes all steps of a recurrent application: each is a call of it with `iterate: false`, within one scan.
 *
 * @param call the call that goes on
 * @param given variables by name, tagged
 */
export function iterate(
  call: ApplicationCall,
  given: NamedVariables,
  options: RecurrentCallOptions,
): ApplicationResult {
  const { application: called } = call;
  const sequences = pick(given, called.sequences);
  const contexts = pick(given, called.contexts);
  checkSequences(called, sequences);
  const outputs = outputNames(called);
  const initial = initialStates(called, given, sequences, options);
  const carried = outputs.filter((name) => initial[name] !== undefined);
  let step: Step | undefined;
  const collected = scan(
    (...inside) => {
      const names = [...Object.keys(sequences), ...carried, ...Object.keys(contexts)];
      const row = Object.fromEntries(names.map((name, position) => [name, at(inside, position)]));
      step = new Step(called.invoke([row, { iterate: false }]), outputs);
      return step.outputs;
    },
    {
      sequences: Object.values(sequences),
      outputsInfo: outputs.map((name) => initial[name] ?? null),
      nonSequences: Object.values(contexts),
      goBackwards: options.reverse === true,
      ...(options.nSteps === undefined ? {} : { nSteps: options.nSteps }),
      ...(options.truncateGradient === undefined ? {} : { truncateGradient: options.truncateGradient }),
    },
  );
  const node = collected[0]?.owner;
  if (step === undefined || node === null || node === undefined) throw new Error(`${called.toString()} has no outputs`);
  const inner = step.variablesWithin(node);
  call.metadata.set('innerInputs', ofRole(inner, INPUT, called.inputs ?? []));
  call.metadata.set('innerOutputs', ofRole(inner, OUTPUT, outputs));
  warnOfUndeclared(
    called,
    node.inputs.slice(1 + Object.keys(sequences).length + carried.length),
    Object.values(contexts),
  );
  return step.like(
    collected.map((rows, position) => {
      const first = initial[at(outputs, position)];
      const whole =
        first === undefined || options.returnInitialStates !== true ? rows : concatenate([expandDims(first, 0), rows]);
      return options.reverse === true ? flip(whole, { axis: 0 }) : whole;
    }),
  );
}

/** One step as it was made, to tell what is within the scan, and how results are given. */
class Step {
  readonly outputs: readonly Variable[];
  readonly #result: ApplicationResult;
  readonly #names: readonly string[];

  constructor(result: ApplicationResult, names: readonly string[]) {
    this.#result = result;
    this.#names = names;
    if (result instanceof Variable) this.outputs = [result];
    else if (isList(result)) this.outputs = result;
    else this.outputs = names.map((name) => result[name]).filter((output) => output !== undefined);
  }

  /** The variables of the call that made the step, as they are in the scan. */
  variablesWithin(node: Apply): readonly Variable[] {
    const made = this.outputs.flatMap(callsOf);
    const within = ancestors(node.op.inner?.outputs ?? [], { inside: true });
    return within.filter((variable) => callsOf(variable).some((one) => made.includes(one)));
  }

  /** Values of the outputs in the form in which the step gives them. */
  like(values: readonly Variable[]): ApplicationResult {
    if (this.#result instanceof Variable) return at(values, 0);
    if (isList(this.#result)) return values;
    return Object.fromEntries(this.#names.map((name, position) => [name, at(values, position)]));
  }
}

/** Those of a role, in the order of their names. */
function ofRole(variables: readonly Variable[], role: VariableRole, names: readonly string[]): Variable[] {
  return names.flatMap((name) =>
    variables.filter((variable) => blocksName(variable) === name && hasRoles(variable, [role])),
  );
}

function callsOf(variable: Variable): ApplicationCall[] {
  return annotationsOf(variable).filter((annotation) => annotation instanceof ApplicationCall);
}

function outputNames(called: BoundApplication): readonly string[] {
  const { outputs, states } = called;
  if (outputs !== undefined && states.every((state) => outputs.includes(state))) return outputs;
  throw new Error(
    `${called.toString()} has the states ${states.join(', ')} and the outputs ${outputs?.join(', ') ?? 'none'}; ` +
      'name all of its states among @recurrent({ outputs })',
  );
}

/** The states before the first step: those that are given, and what the brick has for the others. */
function initialStates(
  called: BoundApplication,
  given: NamedVariables,
  sequences: NamedVariables,
  options: RecurrentCallOptions,
): NamedVariables {
  const [sequence] = Object.values(sequences);
  if (sequence === undefined && options.nSteps === undefined) {
    throw new Error(
      `${called.toString()} is given none of its sequences (${called.sequences.join(', ') || 'none'}); give nSteps and batchSize, or a sequence`,
    );
  }
  const missing = called.states.filter((state) => given[state] === undefined);
  if (missing.length === 0) return pick(given, called.states);
  const batchSize = options.batchSize ?? (sequence === undefined ? undefined : dimension(sequence, 1));
  if (batchSize === undefined) {
    throw new Error(
      `${called.toString()}: no sequence tells how many initial states ${missing.join(', ')} to make; give batchSize`,
    );
  }
  const contexts = pick(given, called.contexts);
  const own = called.brick.application('initialStates').callAsRecord([batchSize, contexts]);
  return pick({ ...own, ...pick(given, called.states) }, called.states);
}

function warnOfUndeclared(
  called: BoundApplication,
  captured: readonly Variable[],
  contexts: readonly Variable[],
): void {
  const declared = new Set(contexts);
  const found = ancestors(captured, { blockers: contexts }).filter(
    (variable) => isInput(variable) && !declared.has(variable),
  );
  if (found.length === 0) return;
  process.emitWarning(
    `${called.toString()} uses ${found.map(String).join(', ')}, which it was not given; ` +
      'declare it in @recurrent({ contexts }) and give it by name',
    'BrickWarning',
  );
}
