import { writeSync } from 'node:fs';

import { openObjectStore, PreconditionFailed } from '../../src/index.js';

// Adds 1 to a register, `count` times or for ever, and writes a line to stdout for each that is acknowledged.
const [url = '', key = '', count = ''] = process.argv.slice(2);
const store = await openObjectStore(url);
const limit = count === 'forever' ? Infinity : Number(count);
for (let done = 0; done < limit; done += 1) {
  await increment();
  writeSync(1, '+\n');
}

async function increment(): Promise<void> {
  for (;;) {
    const current = await store.readRegister(key);
    const value = current === undefined ? 0 : Number(Buffer.from(current.bytes).toString());
    try {
      await store.compareAndSet(key, current?.version ?? null, Buffer.from(String(value + 1)));
      return;
    } catch (error) {
      if (!(error instanceof PreconditionFailed)) throw error;
    }
  }
}
