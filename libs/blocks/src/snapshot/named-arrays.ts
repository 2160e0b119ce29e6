import { StateMismatch, type NdArray } from '@longrun/serialization';
import { formatShape, type SharedVariable } from '@longrun/tensor';

/** References to the present values. */
export function arraysOf(variables: ReadonlyMap<string, SharedVariable>): Map<string, NdArray> {
  return new Map([...variables].map(([name, variable]) => [name, variable.getValue()]));
}

/** @throws StateMismatch saying all that differs in names, shapes and dtypes, and what to do */
export function checkArrays(
  what: string,
  variables: ReadonlyMap<string, SharedVariable>,
  arrays: ReadonlyMap<string, NdArray>,
): void {
  const problems: string[] = [];
  for (const [name, variable] of variables) {
    const array = arrays.get(name);
    const wanted = described(variable.getValue());
    if (array === undefined) problems.push(`${name} (${wanted}) is missing from it`);
    else if (described(array) !== wanted) problems.push(`${name} is ${described(array)} in it but ${wanted} here`);
  }
  for (const name of arrays.keys()) if (!variables.has(name)) problems.push(`${name} is in it but not here`);
  if (problems.length === 0) return;
  throw new StateMismatch(
    `The checkpoint does not fit the ${what}: ${problems.join('; ')}. ` +
      'Resume with the program, params and step rule that it was saved with, or start anew',
  );
}

/** Sets values that were checked. */
export function setArrays(variables: ReadonlyMap<string, SharedVariable>, arrays: ReadonlyMap<string, NdArray>): void {
  for (const [name, variable] of variables) {
    const array = arrays.get(name);
    if (array !== undefined) variable.setValue(array);
  }
}

function described(array: NdArray): string {
  return `${array.dtype} ${formatShape(array.shape)}`;
}
