/**
 * Checks that a list has every number from 0 to its length once.
 *
 * @param who begins the error
 * @throws Error where it has not
 */
export function checkValidPermutation(order: readonly number[], who = 'checkValidPermutation'): void {
  const there = new Set(order);
  if (order.length > 0 && order.every((_, place) => there.has(place))) return;
  throw new Error(`${who}: order is [${order.join(', ')}]; give every number from 0 to its length, once each`);
}
