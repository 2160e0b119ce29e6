import { Constant } from '../graph/constant.js';
import { formatShape, isAllKnown } from '../graph/tensor-type.js';
import { sizeOf } from '@longrun/serialization';
import { concatenateOp } from '../ops/concatenate.js';
import { sliceOp } from '../ops/slice.js';
import { liftedIntoSequences, type LiftedOp } from './lifted-into-sequences.js';
import { oneOfOps } from './pattern.js';
import type { Rewrite } from './rewrite.js';

/**
 * What a scan computes of each element of its sequences, or of parts of them, computed of all rows at once before it: an op in a step costs more than what
 * it computes. Engines may give other last bits to an element by its place in an array, and fuse other things.
 */
export const liftedElementwise: Rewrite = {
  name: 'elementwise ops before a scan',
  pattern: oneOfOps('scan'),
  replacement: (match) => liftedIntoSequences(match, elementwiseOfRows),
};

export const elementwiseOfRows: LiftedOp = ({ op, inputs, output }, ofRows) => {
  // Of larger ones the step is no longer than what it computes, and its results are in the processor's cache.
  if (isAllKnown(output.shape) && sizeOf(output.shape) > MOST_ELEMENTS) return undefined;
  const { axis, step } = op.parameters;
  if (op.name === 'slice' && typeof axis === 'number' && typeof step === 'number') {
    return inputs.slice(1).every((bound) => bound instanceof Constant) ? sliceOp({ axis: axis + 1, step }) : undefined;
  }
  if (op.name === 'concatenate' && typeof axis === 'number') {
    return inputs.every(ofRows) ? concatenateOp({ axis: axis + 1 }) : undefined;
  }
  // What is only as large as what it is broadcast with would be stored for all steps.
  const isAsLarge = inputs.some((input) => ofRows(input) && formatShape(input.shape) === formatShape(output.shape));
  return ELEMENTWISE.has(op.name) && isAsLarge ? op : undefined;
};

const MOST_ELEMENTS = 2 ** 16;

const ELEMENTWISE: ReadonlySet<string> = new Set([
  'abs',
  'add',
  'cast',
  'div',
  'exp',
  'gt',
  'identity',
  'log',
  'logistic',
  'maximum',
  'minimum',
  'mul',
  'neg',
  'pow',
  'rectifier',
  'softplus',
  'sqrt',
  'square',
  'stopGradient',
  'sub',
  'tanh',
  'where',
]);
