import { inputAt } from '../graph/op.js';
import { eq } from './eq.js';
import { log } from './log.js';
import { mul } from './mul.js';
import { sub } from './sub.js';
import { where } from './where.js';
import type { Variable } from '../graph/variable.js';
import { applyElementwise, elementwise, type ElementwiseDefinition, type Operand } from './elementwise.js';

/** `a` to the power `b`, broadcasting. Integers are cast to floats first. */
export function pow(a: Operand, b: Operand): Variable {
  return applyElementwise(powOp, definition, [a, b]);
}

const definition: ElementwiseDefinition = {
  name: 'pow',
  accepts: 'float',
  compute: power,
  onnx: 'Pow',
  gradients: (gradient, inputs, output) => {
    const base = inputAt(inputs, 0);
    const exponent = inputAt(inputs, 1);
    return [
      mul(gradient, mul(exponent, pow(base, sub(exponent, 1)))),
      mul(gradient, where(eq(base, 0), 0, mul(output, log(base)))),
    ];
  },
};

/** The op of {@link pow}. */
export const powOp = elementwise(definition);

/** C's pow, which ONNX Runtime uses: 1 to any power is 1, and so is -1 to an infinite one, where JavaScript says NaN. */
function power(base: number, exponent: number): number {
  if (base === 1) return 1;
  return base === -1 && Math.abs(exponent) === Infinity ? 1 : base ** exponent;
}
