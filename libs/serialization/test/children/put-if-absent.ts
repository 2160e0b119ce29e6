import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';

import { ObjectExists, openObjectStore } from '../../src/index.js';

// Reads keys from stdin, puts its own name at each if it is absent, and says whether it has won.
const [url = '', name = ''] = process.argv.slice(2);
const store = await openObjectStore(url);

writeSync(1, 'ready\n');
for await (const key of createInterface(process.stdin)) {
  try {
    await store.put(key, Buffer.from(name), { ifAbsent: true });
    writeSync(1, `won ${key}\n`);
  } catch (error) {
    if (!(error instanceof ObjectExists)) throw error;
    writeSync(1, `lost ${key}\n`);
  }
}
