import { checkArguments } from './arguments.js';
import { oneOf } from './one-of.js';
import { TensorTypeError } from './tensor-type.js';

/** What {@link floatX} may be. */
export type FloatX = (typeof FLOATS)[number];

/** The dtypes through which gradients flow. */
export const FLOATS = ['float32', 'float64'] as const;

let current: FloatX = 'float32';

/** The dtype of floats that are given none, Theano's `config.floatX`: float32, but for what {@link withFloatX} builds. */
export function floatX(): FloatX {
  return current;
}

/**
 * What `build` returns, {@link floatX} being `dtype` until it returns: `withFloatX('float64', () => model(matrix('x')))`. Nothing else can
 * set it, so that no program depends on what was set elsewhere. What has a dtype keeps it, and functions are compiled as they were built.
 *
 * @throws TensorTypeError where `dtype` is no float, or where `build` returns a promise or a generator: what runs after an `await` or at
 * a `yield` would be outside
 */
export function withFloatX<T>(dtype: FloatX, build: () => T): T {
  checkArguments('withFloatX', ['dtype', dtype, 'text'], ['build', build, 'function']);
  const outside = current;
  current = oneOf('withFloatX', 'dtype', dtype, FLOATS);
  let built: T;
  try {
    built = build();
  } finally {
    current = outside;
  }
  if (isThenable(built)) {
    // Nobody else hears of how it ends.
    void Promise.resolve(built).catch(() => undefined);
    throw new TensorTypeError(
      'withFloatX: what builds the graph returned a promise; await before or after it, and build without',
    );
  }
  if (isIterator(built)) {
    throw new TensorTypeError(
      'withFloatX: what builds the graph returned a generator, which goes on later; return what it makes, as a list',
    );
  }
  return built;
}

/** A promise of any library. */
function isThenable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

/** A generator, or what else is gone through later, with `await` or without. */
function isIterator(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'next' in value && typeof value.next === 'function';
}
