import { elementwise } from './elementwise.js';
import { indexing } from './indexing.js';
import { linearAlgebra } from './linear-algebra.js';
import type { TfjsLowerings } from './lowering.js';
import { onHost } from './on-host.js';
import { reductions } from './reductions.js';
import { shapes } from './shapes.js';
import { softmax } from './softmax.js';

/** How TensorFlow.js runs each op of this room; an op without an entry does not compile. */
export const lowerings: TfjsLowerings = {
  ...elementwise,
  ...indexing,
  ...linearAlgebra,
  ...onHost,
  ...reductions,
  ...shapes,
  ...softmax,
};
