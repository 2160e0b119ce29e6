/** Goldens that an op is known not to reproduce, in one way of running it or another. */
export interface KnownFault {
  readonly op: string;
  /** Names of its goldens. */
  readonly goldens: readonly string[];
  /** The engines on which it is so. Default: all. */
  readonly engines?: readonly string[];
}

/** All of them. The goldens' test fails for one that is no longer wrong. */
export const KNOWN_FAULTS: readonly KnownFault[] = [
  // A denormal is the largest, which TensorFlow takes for 0.
  { op: 'argmax', goldens: ['specials float32'], engines: ['tfjs/tensorflow'] },
];
