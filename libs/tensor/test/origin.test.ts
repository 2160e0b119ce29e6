import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext, runInThisContext } from 'node:vm';

import { ndarray } from '@longrun/serialization';
import { beforeEach, expect, onTestFinished, test } from 'vitest';

import * as tensor from '../src/index.js';

/** A user's program, outside of the packages: `make` is given the library. */
const PROGRAM = `
export function make(t) {
  const x = t.tensor('x', 'float32', [null, 3]);
  const y = t.tensor('y', 'float32', [null, 4]);
  const hidden = t.tanh(x);
  const sum = () => t.add(t.exp(x), y);
  const late = t.reshape(t.exp(hidden), [2, 2]);
  const [slope] = t.grad(t.sum(hidden), [x]);
  const after = t.tanh(slope);
  return { x, y, hidden, sum, late, slope, after };
}
`;

/** Where a call begins in it: `/tmp/model.mjs:3:15`, the column that of the called name. */
function placeOf(call: string): string {
  const before = PROGRAM.slice(0, PROGRAM.indexOf(call)).split('\n');
  return `${file}:${before.length}:${(before.at(-1) ?? '').length + 't.'.length + 1}`;
}

let file: string;
let made: Made;

interface Made {
  readonly x: tensor.Variable;
  readonly y: tensor.Variable;
  readonly hidden: tensor.Variable;
  readonly late: tensor.Variable;
  readonly sum: () => tensor.Variable;
  readonly slope: tensor.Variable;
  readonly after: tensor.Variable;
}

beforeEach(async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'origin of (ü) '));
  onTestFinished(() => rm(folder, { recursive: true }));
  file = path.join(folder, 'model.mjs');
  await writeFile(file, PROGRAM);
  const program: unknown = await import(/* @vite-ignore */ pathToFileURL(file).href);
  made = (program as { make: (library: typeof tensor) => Made }).make(tensor);
});

test('a variable knows the place in the program where it was made, whatever stands for it later', () => {
  expect(made.x.madeAt).toBe(placeOf("t.tensor('x'"));
  expect(made.hidden.madeAt).toBe(placeOf('t.tanh'));
  const copied = tensor.replace([made.hidden], new Map([[made.x, tensor.tensor('z', 'float32', [2, 3])]]));
  expect(copied[0]).not.toBe(made.hidden);
  expect(copied[0]?.madeAt).toBe(placeOf('t.tanh'));
});

test('what gradients are made of was made where they were asked for, and what comes after them where it was made', () => {
  const { slope, after, hidden } = made;
  expect(slope.madeAt).toBe(placeOf('t.grad('));
  expect(after.madeAt).toBe(placeOf('t.tanh(slope'));
  const steps = slope.owner?.inputs.map((input) => input.madeAt);
  expect(steps?.length).toBeGreaterThan(0);
  for (const place of steps ?? []) expect([placeOf('t.grad('), hidden.madeAt]).toContain(place);
});

test('an error in making a graph says where its operands were made', () => {
  expect(made.sum).toThrow(
    `add: \`exp.0\` float32 (null, 3) made at ${placeOf('t.exp')} and \`y\` float32 (null, 4) made at ${placeOf("t.tensor('y'")} do not broadcast`,
  );
});

test('an error in computing says where its operands were made', async () => {
  const compiled = await tensor.compile({ inputs: [made.x], outputs: [made.late], engine: 'reference' });
  await expect(compiled.run([ndarray('float32', [2, 3])])).rejects.toThrow(`made at ${placeOf('t.exp(hidden')}`);
});

test('whoever makes something else of stack traces changes neither places nor what is made', () => {
  const traces: { prepareStackTrace?: unknown } = Error;
  const before = traces.prepareStackTrace;
  onTestFinished(() => {
    traces.prepareStackTrace = before;
  });
  const prepare = (_: Error, frames: NodeJS.CallSite[]): NodeJS.CallSite[] => frames;
  traces.prepareStackTrace = prepare;
  expect(made.x.madeAt).toBe(placeOf("t.tensor('x'"));
  expect(made.sum).toThrow(`made at ${file}:`);
  expect(traces.prepareStackTrace).toBe(prepare);
});

test.each(['/home/ann/my models (2)/model.js', String.raw`C:\Users\ann lee\model.js`])(
  'a program of CommonJS may be at %s',
  (filename) => {
    const make = runInThisContext("(t) => t.scalar('x')", { filename }) as (library: typeof tensor) => tensor.Variable;
    expect(make(tensor).madeAt).toBe(`${filename}:1:10`);
  },
);

test('a variable keeps nothing alive of what the program had when it was made', async () => {
  setFlagsFromString('--expose_gc');
  const gc = runInNewContext('gc') as () => void;
  const [variable, rows] = makeBeside();
  await setImmediate();
  gc();
  expect(variable.dtype).toBe('float32');
  expect(rows.deref()).toBeUndefined();
});

/** A variable made by a function that knows an array, which nothing else does. */
function makeBeside(): [tensor.Variable, WeakRef<Float64Array>] {
  const rows = new Float64Array(1000);
  const make = (): tensor.Variable => tensor.tensor('x', 'float32', [rows.length]);
  return [make(), new WeakRef(rows)];
}
