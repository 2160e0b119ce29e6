import { spawn } from 'node:child_process';

import { expect, test } from 'vitest';

test('a program costs little to load: no engine is loaded for its params', async () => {
  const script = `await import(${JSON.stringify(new URL('../dist/programs/mlp.js', import.meta.url).href)});
    console.log(JSON.stringify(process.report.getReport().sharedObjects.filter((name) => name.includes('onnxruntime'))));`;
  const loaded = await new Promise<string>((resolve) => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', script]);
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    child.on('close', () => resolve(text.trim()));
  });
  expect(loaded).toBe('[]');
});
