import { createRequire } from 'node:module';

import { expect, test } from 'vitest';

import { compile, environment, scalar } from '../index.js';

test('the environment names engine, version, provider, threads, processor, platform and Node', () => {
  const installed: { version: string } = createRequire(import.meta.url)('onnxruntime-node/package.json');
  const found = environment({ engine: 'onnxruntime', threads: 3 });
  expect(found).toMatchObject({
    engine: 'onnxruntime',
    engineVersion: installed.version,
    provider: 'cpu',
    threads: 3,
    node: process.versions.node,
  });
  expect(found.platform).toBe(`${process.platform}-${process.arch}`);
  expect(found.cpuModel).not.toBe('');
  expect(JSON.parse(JSON.stringify(found))).toEqual(found);
});

test('a compiled function says the environment it runs in', async () => {
  const x = scalar('x');
  const f = await compile({ inputs: [x], outputs: [x], threads: 1 });
  expect(f.environment).toEqual(environment({ threads: 1 }));
  const g = await compile({ inputs: [x], outputs: [x], engine: 'reference', threads: 4 });
  expect(g.environment).toMatchObject({ engine: 'reference', engineVersion: '0.1.0', threads: 1 });
});
