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
  { op: 'categoricalCrossEntropy of softmax', goldens: ['tails float32', 'tails float64'] },
  { op: 'log of logistic', goldens: ['tails float32', 'tails float64'] },
  { op: 'log of one minus logistic', goldens: ['tails float32', 'tails float64'] },
  {
    op: 'log of softmax',
    goldens: ['tails float32'],
    engines: ['onnxruntime', 'reference, rounding each op', 'tfjs', 'tfjs/tensorflow'],
  },
  { op: 'one minus logistic', goldens: ['tails float32', 'tails float64'] },
];
