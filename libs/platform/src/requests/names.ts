import { type FaultOf, likestFirst } from '@longrun/contracts';

/** A name in the spec, at `path`, that nothing has, with the likest of those that there are. */
export function nameUnknown(
  what: 'program' | 'dataset' | 'converter',
  name: string,
  known: readonly string[],
  path: readonly string[] = [what],
): FaultOf<'invalid-request'> {
  const near = likestFirst(name, known, 5);
  return { path, code: 'name-unknown', facts: { what, name, near, others: known.length - near.length } };
}
