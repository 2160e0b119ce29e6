import { ilsvrcLike } from './ilsvrc-like.js';

/** ImageNet's challenge of 2010: the splits `train` 1261406, `valid` 50000 and `test` 150000 (Fuel: `ilsvrc2010`). */
export const ilsvrc2010 = ilsvrcLike('ilsvrc2010');
