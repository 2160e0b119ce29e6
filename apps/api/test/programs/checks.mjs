import { defineExperiment } from '@longrun/blocks';
import { MESSAGES_FD } from '@longrun/contracts';
import { readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

/** Does, when its parameters are checked, what it is told to. */
export default defineExperiment({
  name: 'checks',
  description: 'A program whose schema has ways of its own.',
  params: z
    .strictObject({ how: z.string() })
    .superRefine(({ how }) => (how.startsWith('looks at ') ? looksAt(how.slice(9)) : ways[how]?.()))
    .transform((params) => (params.how === 'swells' ? { ...params, more: 'x'.repeat(8_000_000) } : params)),
  build() {
    throw new Error('The API never builds a main loop');
  },
});

const ways = {
  hangs: () => {
    for (;;);
  },
  // It takes its time, and no processor time.
  waits: () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_500),
  floods: () => {
    const line = Buffer.from(`"${'x'.repeat(8_000_000)}"\n`);
    for (let at = 0; at < line.length;) at += written(line, at);
  },
  allocates: () => {
    for (const kept = []; ;) kept.push(Buffer.alloc(16 * 2 ** 20, 1));
  },
  exits: () => process.exit(0),
  throws: () => {
    throw new TypeError('it reads a length of nothing');
  },
  prints: () => {
    for (let line = 0; line < 100_000; line += 1) console.log('noise');
  },
  forges: () => {
    const faults = [{ path: [], code: 'missing', facts: 7 }];
    const forged = { type: 'checked', number: 1, reading: { ok: false, faults } };
    writeSync(MESSAGES_FD, `${JSON.stringify(forged)}\n`);
  },
  reads: () => {
    throw new Error(
      `it has ${Object.keys(process.env)
        .filter((name) => /TOKEN|REDIS|DATABASE/.test(name))
        .join()}`,
    );
  },
};

function written(line, at) {
  try {
    return writeSync(MESSAGES_FD, line, at);
  } catch ({ code }) {
    if (code !== 'EAGAIN') throw code;
    return 0;
  }
}

function looksAt(folder) {
  let token;
  try {
    token = readFileSync(join(folder, 'token'), 'utf8');
  } catch ({ code }) {
    token = code;
  }
  let module;
  try {
    writeFileSync(fileURLToPath(import.meta.url), '');
    module = 'written';
  } catch ({ code }) {
    module = code;
  }
  throw new Error(`user ${process.getuid()} in ${process.cwd()}, token ${token}, module ${module}`);
}
