import { complementOfSigmoid } from './complement-of-sigmoid.js';
import { divisionTakenBack } from './division-taken-back.js';
import { logOfPickedSoftmax } from './log-of-picked-softmax.js';
import { logOfSigmoid } from './log-of-sigmoid.js';
import { logOfSoftmax } from './log-of-softmax.js';
import type { Rewrite } from './rewrite.js';

/** Forms that neither overflow nor lose what is small in place of those that do, as Theano's rewrites: they are what was meant. */
export const STABLE_FORMS: readonly Rewrite[] = [
  logOfSoftmax,
  logOfPickedSoftmax,
  logOfSigmoid,
  complementOfSigmoid,
  divisionTakenBack,
];
