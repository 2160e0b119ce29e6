import { abs } from './abs.js';
import { add } from './add.js';
import { div } from './div.js';
import { unary } from './elementwise.js';

/** `x / (1 + |x|)` */
export const softsign = unary('softsign', {
  accepts: 'float',
  compute: (x) => x / (1 + Math.abs(x)),
  gradients(gradient, [x]) {
    const size = add(abs(x), 1);
    return [div(div(gradient, size), size)];
  },
});
