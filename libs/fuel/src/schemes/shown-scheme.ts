import type { Json } from '@longrun/serialization';

/** A scheme, for people: `ShuffledScheme(60000, 128)`. Where its chance comes from is left out. */
export function shownScheme(scheme: { identity(): { readonly [key: string]: Json } }): string {
  return `${scheme.constructor.name}(${parametersOf(scheme.identity()).join(', ')})`;
}

/** The sizes of batches, for people: `128` where all have one. */
export function shownSizes(scheme: { identity(): { readonly [key: string]: Json } }): string {
  const { size, ...others } = scheme.identity();
  const rest = parametersOf(others);
  return typeof size === 'number' ? [size, ...rest].join(', ') : shownScheme(scheme);
}

function parametersOf(identity: { readonly [key: string]: Json }): readonly string[] {
  return Object.entries(identity).flatMap(([name, value]) => {
    if (OMITTED.has(name) || value === null || value === false) return [];
    if (POSITIONAL.has(name)) return [typeof value === 'string' ? value : JSON.stringify(value)];
    return [value === true ? name : `${name} ${JSON.stringify(value)}`];
  });
}

const OMITTED = new Set(['scheme', 'random', 'seed', 'stage']);
const POSITIONAL = new Set(['examples', 'batchSize', 'size']);
