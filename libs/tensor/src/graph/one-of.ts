import { shown } from './arguments.js';
import { TensorTypeError } from './tensor-type.js';

/** The value of an option that is one of a few words. @throws TensorTypeError listing them, naming op and option, where it is none of them */
export function oneOf<T extends string>(opName: string, option: string, value: T, words: readonly T[]): T {
  if (words.includes(value)) return value;
  throw new TensorTypeError(`${opName}: ${option} is ${shown(value)}; give one of ${words.join(', ')}`);
}
