/** Ends a switch over a union: the compiler refuses it where a case is missing. */
export function assertNever(value: never): never {
  throw new Error(`${JSON.stringify(value)} is not one of the cases`);
}
