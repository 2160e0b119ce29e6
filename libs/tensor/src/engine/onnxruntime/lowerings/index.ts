import { controlFlow } from './control-flow.js';
import { convolutions } from './convolutions.js';
import { elementwise } from './elementwise.js';
import { indexing } from './indexing.js';
import { integers } from './integers.js';
import { linearAlgebra } from './linear-algebra.js';
import type { OnnxLowerings } from './lowering.js';
import { orders } from './orders.js';
import { pools } from './pools.js';
import { random } from './random.js';
import { reductions } from './reductions.js';
import { shapes } from './shapes.js';
import { softmax } from './softmax.js';
import { specialFunctions } from './special-functions.js';

/** How ONNX Runtime runs each op of this room; an op without an entry does not compile. */
export const lowerings: OnnxLowerings = {
  ...controlFlow,
  ...convolutions,
  ...elementwise,
  ...indexing,
  ...integers,
  ...linearAlgebra,
  ...orders,
  ...pools,
  ...random,
  ...reductions,
  ...shapes,
  ...softmax,
  ...specialFunctions,
};
