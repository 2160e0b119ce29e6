import { writeSync } from 'node:fs';

import { armFaultPoints, faultPoint, InjectedFault } from '../../src/index.js';

// Passes one fault point three times, and writes a line for each.
armFaultPoints(process.env, (sentence) => writeSync(2, `${sentence}\n`));
for (let passage = 1; passage <= 3; passage += 1) {
  try {
    await faultPoint('ingest.read');
    writeSync(1, `passed ${passage}\n`);
  } catch (error) {
    if (!(error instanceof InjectedFault)) throw error;
    writeSync(1, `${error.code} at ${passage}\n`);
  }
}
