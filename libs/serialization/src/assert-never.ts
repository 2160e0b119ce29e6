/**
 * Ends a switch over a union: a case that was forgotten is a compile error, and a value from elsewhere an Error at run time.
 *
 * @param value what no case took
 * @param what the union's name, for the message
 */
export function assertNever(value: never, what = 'value'): never {
  throw new Error(`Unknown ${what}: ${JSON.stringify(value)}; this build does not know it, update it or add the case`);
}
