import { RandomState, type RandomStream, type RandomStreams } from '@longrun/serialization';

/**
 * What bricks are initialized by: streams, of which each parameter has one of its own; or NumPy's generator, from which all draw in turn, biases before weights
 * and children before parents, as in the original, whose numbers these are: `mlp.initialize(new RandomState(1234))` for its `mlp.seed = 1234`.
 */
export type RandomSource = RandomStreams | RandomState;

/** What a scheme draws from. */
export type RandomNumbers = RandomStream | RandomState;

/** What a part of a scheme draws from: a stream of its own, or the next numbers of NumPy's generator. */
export function numbersFor(part: string, random: RandomNumbers): RandomNumbers {
  return random instanceof RandomState ? random : random.fork(part);
}
