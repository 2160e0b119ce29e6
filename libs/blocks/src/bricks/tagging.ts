import { identity, Variable } from '@longrun/tensor';

import { addAnnotation } from '../graph/annotations.js';
import { addRole, INPUT, OUTPUT, type VariableRole } from '../roles.js';
import { nameWithin, type ApplicationCall } from './application-call.js';
import { checkInputSizes } from './input-sizes.js';

/** Variables by name: what an application takes as named arguments, and gives as named results. */
export type NamedVariables = Readonly<Record<string, Variable>>;

/** What application methods give. */
export type ApplicationResult = Variable | readonly Variable[] | NamedVariables;

/**
 * The arguments of a call with copies of variables in their places, with role INPUT: one is named after its place, those of an array are numbered,
 * those of a plain object are named by its keys. All else is left as it is.
 */
export function tagArguments(call: ApplicationCall, args: readonly unknown[]): unknown[] {
  const names = call.application.inputs;
  return args.map((argument, at) =>
    holdsVariables(argument)
      ? mapValues(argument, (value, name) => tagArgument(call, value, name))
      : tagArgument(call, argument, names?.[at] ?? `input_${at}`),
  );
}

/** The result of a call with copies in the places of variables, with role OUTPUT and those that the application declares. */
export function tagResult(call: ApplicationCall, result: ApplicationResult): ApplicationResult {
  const names = call.application.outputs;
  const tag = (output: Variable, name: string): Variable => {
    const copy = copyAndTag(call, output, OUTPUT, name);
    for (const role of call.application.application.options.outputRoles ?? []) addRole(copy, role);
    return copy;
  };
  const nameAt = (at: number): string => names?.[at] ?? `output_${at}`;
  if (result instanceof Variable) {
    checkDeclared(call, [nameAt(0)], names);
    return tag(result, nameAt(0));
  }
  if (isList(result)) {
    checkDeclared(
      call,
      result.map((_, at) => nameAt(at)),
      names,
    );
    return result.map((output, at) => tag(output, nameAt(at)));
  }
  checkDeclared(call, Object.keys(result), names);
  return mapValues(result, tag);
}

/** True for a list of results. */
export function isList(result: ApplicationResult): result is readonly Variable[] {
  return Array.isArray(result);
}

/** A plain object with a variable among its values, or an array with one. Options that hold none are no named arguments. */
function holdsVariables(argument: unknown): argument is Readonly<Record<string, unknown>> {
  if (typeof argument !== 'object' || argument === null) return false;
  const prototype: unknown = Object.getPrototypeOf(argument);
  if (prototype !== Object.prototype && prototype !== null) return false;
  return Object.values(argument).some((value) => [value].flat().some((item) => item instanceof Variable));
}

function tagArgument(call: ApplicationCall, argument: unknown, name: string): unknown {
  if (argument instanceof Variable) {
    checkInputSizes(call.application, name, argument);
    return copyAndTag(call, argument, INPUT, name);
  }
  if (!Array.isArray(argument)) return argument;
  return argument.map((item, at) => (item instanceof Variable ? copyAndTag(call, item, INPUT, `${name}_${at}`) : item));
}

function checkDeclared(call: ApplicationCall, given: readonly string[], declared: readonly string[] | undefined): void {
  if (declared === undefined || given.every((name) => declared.includes(name))) return;
  throw new Error(
    `${call.application.toString()} gave ${given.length} outputs (${given.join(', ')}) but declares ${declared.length} ` +
      `(${declared.join(', ')}); name them all in @application({ outputs })`,
  );
}

/** A copy of its own: the same variable may be the input of many bricks. Engines skip the copies. */
function copyAndTag(call: ApplicationCall, variable: Variable, role: VariableRole, name: string): Variable {
  const copy = identity(variable);
  nameWithin(call.application, copy, name);
  addAnnotation(copy, call.application.brick);
  addAnnotation(copy, call);
  addRole(copy, role);
  return copy;
}

function mapValues<Value, Mapped>(
  record: Readonly<Record<string, Value>>,
  map: (value: Value, name: string) => Mapped,
): Record<string, Mapped> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value, name)]));
}
