export { MockAlgorithm } from './mock-algorithm.js';
export type { MockAlgorithmOptions } from './mock-algorithm.js';
export { MockMainLoop } from './mock-main-loop.js';
export type { MockMainLoopOptions } from './mock-main-loop.js';
