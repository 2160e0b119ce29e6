import type { TfjsLowerings } from './lowering.js';

/** TensorFlow.js has no kernels with groups, nor for strides beside dilation, and pads alike on all sides only. */
export const convolutions = {
  conv2d: 'host',
  conv2dGradFilters: 'host',
  conv2dGradInputs: 'host',
  maxPool2d: 'host',
  maxPool2dPlaces: 'host',
} satisfies Partial<TfjsLowerings>;
