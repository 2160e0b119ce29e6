import { once } from 'node:events';
import { writeSync } from 'node:fs';

import { ObjectExists, openObjectStore } from '../../src/index.js';

// Waits for a line on stdin for each key, puts its own name there if it is absent, and says whether it has won.
const [url = '', name = '', ...keys] = process.argv.slice(2);
const store = await openObjectStore(url);

writeSync(1, 'ready\n');
await once(process.stdin, 'data');
for (const key of keys) {
  try {
    await store.put(key, Buffer.from(name), { ifAbsent: true });
    writeSync(1, `won ${key}\n`);
  } catch (error) {
    if (!(error instanceof ObjectExists)) throw error;
    writeSync(1, `lost ${key}\n`);
  }
}
process.stdin.destroy();
