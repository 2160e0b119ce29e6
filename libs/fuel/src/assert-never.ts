/** Ends a `switch` over a union: a member that was forgotten is a type error here, and an error at run time. */
export function assertNever(value: never): never {
  throw new Error(`Unreachable: ${JSON.stringify(value)} is not a member of its union; this is a bug in Longrun`);
}
