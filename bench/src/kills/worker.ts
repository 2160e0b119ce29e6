import { runAttempt } from './attempt.js';
import { Training } from './training.js';

await runAttempt(async (dataset, seed) => await Training.open(dataset, seed));
