import { sizeOf } from '@longrun/serialization';
import { test } from 'vitest';

import {
  concatenate,
  logSoftmax,
  max,
  mean,
  mul,
  reshape,
  slice,
  softmax,
  square,
  sum,
  transpose,
  type Variable,
} from '../src/index.js';
import { expectEnginesAgreeOnAll } from './agreement.js';
import { array, present } from './op-laws.js';

const shapes = [
  [2, 3],
  [3, 1],
  [1, 3],
  [0, 2],
  [2, 0],
];

/** ONNX Runtime's optimizer moves transposes past other nodes; what it moves them past is what is tested here. */
const ops: Readonly<Record<string, (x: Variable) => Variable>> = {
  'slice along the first axis': (x) => slice(x, 1, 3),
  'slice along the last axis': (x) => slice(x, 0, 1, { axis: 1 }),
  'slice beyond the end': (x) => slice(x, 1, 9, { axis: 1 }),
  'sum over the first axis': (x) => sum(x, { axis: 0 }),
  'sum over the last axis': (x) => sum(x, { axis: 1 }),
  'mean over the last axis': (x) => mean(x, { axis: 1, keepdims: true }),
  'max over the last axis': (x) => max(x, { axis: 1 }),
  'concatenate along the first axis': (x) => concatenate([x, x]),
  'concatenate along the last axis': (x) => concatenate([x, square(x)], 1),
  reshape: (x) => reshape(x, [-1]),
  softmax: (x) => softmax(x),
  logSoftmax: (x) => logSoftmax(x),
  transpose: (x) => mul(transpose(x), 2),
};

test.each(Object.entries(ops))(
  'engines agree on the values and gradients of a transpose, empty or not: %s',
  async (name, op) => {
    // Rows of nothing cannot be counted by -1.
    const fitting = shapes.filter((shape) => name !== 'reshape' || !shape.includes(0));
    await expectEnginesAgreeOnAll(
      fitting.map((shape) => ({
        build: (x) => square(op(transpose(present(x)))),
        values: [
          array(
            'float32',
            shape,
            Array.from({ length: sizeOf(shape) }, (_, at) => Math.cos(at * 1.7)),
          ),
        ],
        gradients: true,
      })),
    );
  },
);
