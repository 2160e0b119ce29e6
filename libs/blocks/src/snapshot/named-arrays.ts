import { StateMismatch, type NdArray } from '@longrun/serialization';
import { formatType, isAssignable, type SharedVariable, type StoredValue } from '@longrun/tensor';

/** Copies of the present values. */
export async function copiesOf(variables: ReadonlyMap<string, SharedVariable>): Promise<Map<string, NdArray>> {
  return new Map(
    await Promise.all([...variables].map(async ([name, variable]) => [name, await variable.getValue()] as const)),
  );
}

/** The elements of stored values, which are not to be written to, nor looked at once their handles are released. */
export async function elementsOf(values: ReadonlyMap<string, StoredValue>): Promise<Map<string, NdArray>> {
  return new Map(await Promise.all([...values].map(async ([name, value]) => [name, await value.read()] as const)));
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
    // Not that of its first value: of sizes that the type leaves open, training may have made others.
    const wanted = formatType(variable.type);
    if (array === undefined) problems.push(`${name} (${wanted}) is missing from it`);
    else if (!isAssignable(array, variable.type)) {
      problems.push(`${name} is ${formatType(array)} in it but ${wanted} here`);
    }
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
