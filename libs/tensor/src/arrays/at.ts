/**
 * The entry of `list` at `index`; a negative index counts from the end.
 *
 * @throws RangeError where there is none: a caller that knows that there is one is told of its mistake, not given a made-up value.
 */
export function at<T>(list: ArrayLike<T>, index: number): T {
  const position = index < 0 ? list.length + index : index;
  const entry = list[position];
  if (entry === undefined) throw new RangeError(`There is no entry ${index} in a list of ${list.length}`);
  return entry;
}
