import { controlFlow } from './control-flow.js';
import { convolutions } from './convolutions.js';
import { elementwise } from './elementwise.js';
import { indexing } from './indexing.js';
import { integers } from './integers.js';
import { linearAlgebra } from './linear-algebra.js';
import type { TfjsLowerings } from './lowering.js';
import { reductions } from './reductions.js';
import { shapes } from './shapes.js';
import { softmax } from './softmax.js';
import { specialFunctions } from './special-functions.js';

/** How TensorFlow.js runs each op of this room; an op without an entry does not compile. */
export const lowerings: TfjsLowerings = {
  ...controlFlow,
  ...convolutions,
  ...elementwise,
  ...indexing,
  ...integers,
  ...linearAlgebra,
  ...reductions,
  ...shapes,
  ...softmax,
  ...specialFunctions,
};
