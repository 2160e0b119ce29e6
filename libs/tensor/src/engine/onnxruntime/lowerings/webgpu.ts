import type { DType } from '@longrun/serialization';

import { at } from '../../../arrays/at.js';
import type { Apply } from '../../../graph/apply.js';
import { number } from './kernels.js';
import type { OnnxLowerings } from './lowering.js';
import { softmax } from './softmax.js';

/** Ops that ONNX Runtime's kernels for WebGPU get right in another form only. */
export const onWebgpu = {
  // Its Relu makes 0 of NaN.
  rectifier: number((graph, operands, dtype) => {
    const zero = graph.scalar(0, dtype);
    return graph.add('Where', [graph.add('LessOrEqual', [...operands, zero]), zero, ...operands]);
  }),
  // Its Softmax makes 0 of NaN.
  softmax(graph, inputs, { node }) {
    if (node.output.dtype !== 'float32') return softmax.softmax(graph, inputs);
    const [last, keepdims] = [graph.int64Vector([-1]), { keepdims: { int: 1 } }];
    const shifted = graph.add('Sub', [at(inputs, 0), graph.add('ReduceMax', [at(inputs, 0), last], keepdims)]);
    const power = graph.add('Exp', [shifted]);
    return [graph.add('Div', [power, graph.add('ReduceSum', [power, last], keepdims)])];
  },
} satisfies Partial<OnnxLowerings>;

/**
 * Whether WebGPU has to leave an application to the processor: ONNX Runtime 1.30 takes it for WebGPU, and its kernel fails there, or gives
 * wrong values without a word.
 */
export function isLeftToProcessor({ op, inputs, outputs }: Apply): boolean {
  const fault = FAULTS.get(op.name);
  return fault?.({ op, dtypes: [...inputs, ...outputs].map(({ dtype }) => dtype) }) === true;
}

interface Application {
  readonly op: Apply['op'];
  /** Of inputs and outputs. */
  readonly dtypes: readonly DType[];
}

const always = (): boolean => true;

/** "raw_hash_map<>::at", of what it fills with these. */
const ofBytes = ({ dtypes }: Application): boolean => dtypes.some((dtype) => BYTES.has(dtype));

const BYTES: ReadonlySet<DType> = new Set(['uint8', 'int8', 'bool']);

const FAULTS: ReadonlyMap<string, (application: Application) => boolean> = new Map([
  // Sorts NaN and infinities wrongly.
  ['argsort', always],
  ['sort', always],
  ['topK', always],
  ['broadcastTo', ofBytes],
  ['fill', ofBytes],
  // Of large numbers, for which graphics hardware has no sine.
  ['cos', always],
  ['sin', always],
  // Overflows from 89 on.
  ['logsumexp', always],
  // "The Indices output is not supported yet": what looks for places in finite images too.
  ['maxPool2dPlaces', always],
  // "raw_hash_map<>::at", and 0 for NaN.
  ['pow', always],
  // Negative steps begin at the wrong element.
  ['slice', ({ op }) => Number(op.parameters['step'] ?? 1) < 0],
]);
