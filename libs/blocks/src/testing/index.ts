export { MockAlgorithm } from './mock-algorithm.js';
export { MockMainLoop } from './mock-main-loop.js';
