import { readdir, readFile } from 'node:fs/promises';

import { loadProgram } from '@longrun/blocks';
import { expect, test } from 'vitest';

const FOLDER = new URL('../', import.meta.url);

test('the specs say every parameter of their programs, and each program has a spec', async () => {
  const named = new Set<string>();
  for (const file of (await readdir(FOLDER)).filter((name) => name.endsWith('.yaml'))) {
    const text = await readFile(new URL(file, FOLDER), 'utf8');
    const name = /^program: (.*)$/m.exec(text)?.[1];
    if (name === undefined) continue;
    named.add(name);
    const program = await loadProgram(new URL(`dist/programs/${name}.js`, FOLDER).pathname);
    const params = paramsIn(text);
    expect({ file, params: program.parseParams(params) }).toEqual({ file, params });
  }
  const programs = (await readdir(new URL('src/programs/', FOLDER))).filter((file) => !file.endsWith('.test.ts'));

  expect([...named].toSorted()).toEqual(programs.map((file) => file.replace(/\.ts$/, '')).toSorted());
});

/** The `params` of a spec that has each on a line of its own. */
function paramsIn(text: string): Readonly<Record<string, unknown>> {
  const block = /^params:\n((?: {2}.*\n)+)/m.exec(text)?.[1] ?? '';
  const lines = [...block.matchAll(/^ {2}(\w+): (.*)$/gm)];
  return Object.fromEntries(
    lines.map(([, name = '', value = '']) => [name, JSON.parse(value.replace(/[a-z]\w*/g, '"$&"'))]),
  );
}
