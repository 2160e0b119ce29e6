/** True when stream id `a` comes after `b`. Ids of a Redis stream are `<milliseconds>-<number>`. */
export function isAfter(a: string, b: string): boolean {
  const [aMs, aNumber] = split(a);
  const [bMs, bNumber] = split(b);
  return aMs === bMs ? aNumber > bNumber : aMs > bMs;
}

/** The smallest id after this one. */
export function nextStreamId(id: string): string {
  const [ms, number] = split(id);
  return `${ms}-${number + 1n}`;
}

function split(id: string): [bigint, bigint] {
  const [ms = '0', number = '0'] = id.split('-');
  return [BigInt(ms), BigInt(number)];
}
