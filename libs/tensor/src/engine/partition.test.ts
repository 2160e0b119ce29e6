import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import {
  abs,
  add,
  cast,
  compile,
  constant,
  dimension,
  matrix,
  maximum,
  mean,
  mul,
  neg,
  OpUnsupported,
  scalar,
  scan,
  shared,
  square,
  sub,
  sum,
  tanh,
  tensor,
  vector,
  type Variable,
} from '../index.js';
import { limitedEngine } from '../../test/limited-engine.js';
import { array, expectClose, present } from '../../test/op-laws.js';

const rows = array('float32', [2, 3], [1, -2, 3, -4, 5, -6]);

test('numbers of a dtype that the engine lacks are computed by the host, between two calls of the engine', async () => {
  const engine = limitedEngine({ lacks: ['float64'] });
  const [x, rate] = [matrix('x'), shared(array('float64', [], [0.1]), 'rate')];
  // float64 inside: the total of float32 costs, and a rate that float32 cannot hold.
  const total = add(cast(sum(square(x)), 'float64'), rate);
  const output = mul(x, cast(total, 'float32'));
  const f = await compile({ name: 'step', inputs: [x], outputs: [output], updates: [[rate, total]], engine });
  const scaled = [1, -2, 3, -4, 5, -6].map((each) => each * Math.fround(91.1));
  expectClose(present((await f.run([rows]))[0]), array('float32', [2, 3], scaled));
  expect(await rate.getValue()).toEqual(array('float64', [], [91.1]));
  expect(f.explain()).toMatchObject({ engine, provider: 'cpu', device: 0, threads: 2, engineOps: 3, engineCalls: 2 });
  expect(f.explain().hostOps.map(({ op, reason }) => [op, reason])).toEqual([
    ['cast{dtype="float64"}', 'it has no float64'],
    ['add', 'it has no float64'],
    ['cast{dtype="float32"}', 'it has no float64'],
  ]);
  expect(String(f.explain())).toMatch(
    /^limited-\d+ on cpu 0, 2 threads: 3 ops in 2 calls, 3 ops on the host\n {2}cast\{dtype="float64"\} -> .* float64 \(\): it has no float64\n/,
  );
});

test('what is not small and of a dtype that the engine lacks is refused when compiling, by op, dtype and engine', async () => {
  const engine = limitedEngine({ lacks: ['float64'] });
  const x = tensor('x', 'float64', [null, 3]);
  const refused = compile({ name: 'f', inputs: [x], outputs: [tanh(x)], engine });
  await expect(refused).rejects.toThrow(OpUnsupported);
  await expect(refused).rejects.toThrow(
    `f: the engine ${engine} cannot run tanh of \`x\` float64 (null, 3): it has no float64; use another engine`,
  );
});

test('an op that the engine leaves to the host runs there, however large', async () => {
  const x = matrix('x');
  const engine = limitedEngine({ hostOps: ['tanh'] });
  const f = await compile({ inputs: [x], outputs: [neg(tanh(abs(x)))], engine });
  const g = await compile({ inputs: [x], outputs: [neg(tanh(abs(x)))], engine: 'reference' });
  expectClose(present((await f.run([rows]))[0]), present((await g.run([rows]))[0]));
  expect(f.explain()).toMatchObject({
    engineOps: 2,
    engineCalls: 2,
    hostOps: [{ op: 'tanh', reason: 'it has no tanh' }],
  });
  expect(g.explain()).toMatchObject({ engineOps: 3, engineCalls: 1, hostOps: [] });
});

test('an op with something inside that the engine leaves to the host runs there as a whole', async () => {
  const [x, engine] = [matrix('x'), limitedEngine({ hostOps: ['tanh'] })];
  const turned = (row: Variable): Variable[] =>
    scan((each, last) => tanh(sub(each, present(last))), { sequences: [row], outputsInfo: [constant(0)] });
  const [result] = scan((row) => present(turned(row)[0]), { sequences: [x] });
  const f = await compile({ inputs: [x], outputs: [neg(present(result))], engine });
  const expected = [
    [1, -2, 3],
    [-4, 5, -6],
  ].flatMap((row) => {
    let last = 0;
    return row.map((each) => {
      last = Math.tanh(each - last);
      return -last;
    });
  });
  expectClose(present((await f.run([rows]))[0]), array('float32', [2, 3], expected));
  expect(f.explain().hostOps).toMatchObject([{ reason: 'of scan inside it, of tanh inside it, it has no tanh' }]);
});

test('an op with something inside that the engine lacks is refused', async () => {
  const [x, first, engine] = [matrix('x'), vector('first'), limitedEngine({ lacks: ['float64'] })];
  const [result] = scan((row, last) => cast(tanh(cast(add(row, present(last)), 'float64')), 'float32'), {
    sequences: [x],
    outputsInfo: [first],
  });
  const refused = compile({ inputs: [x, first], outputs: [present(result)], engine });
  await expect(refused).rejects.toThrow(OpUnsupported);
  await expect(refused).rejects.toThrow(/cannot run scan.*: of cast inside it, it has no float64/);
});

test('sizes are computed by the host where the engine lacks their dtype', async () => {
  const x = matrix('x');
  const engine = limitedEngine({ lacks: ['int64'] });
  const f = await compile({ inputs: [x], outputs: [mul(x, cast(dimension(x, 0), 'float32')), mean(x)], engine });
  const [scaled, average] = await f.run([rows]);
  expect(Array.from(present(scaled).data, Number)).toEqual([2, -4, 6, -8, 10, -12]);
  expectClose(present(average), array('float32', [], [-0.5]));
  expect(f.explain().hostOps.map(({ op }) => op)).toContain('dimension{axis=0}');
});

test('a counter of a dtype that the engine narrows is exact, as the host computes it', async () => {
  const engine = limitedEngine({ narrowed: ['int64'] });
  const count = shared(array('int64', [], [3e9]), 'count');
  const f = await compile({ inputs: [], outputs: [], updates: [[count, add(count, constant(1, 'int64'))]], engine });
  await f.run([]);
  expect((await count.getValue()).data[0]).toBe(3_000_000_001n);
  expect(f.explain()).toMatchObject({ engineCalls: 0, hostOps: [{ op: 'add', reason: `${engine} narrows int64` }] });
  // What has many elements is the engine's, which checks that they fit.
  const many = tensor('many', 'int64', [null]);
  expect((await compile({ inputs: [many], outputs: [neg(many)], engine })).explain().hostOps).toEqual([]);
});

test('the host rounds each result to its dtype', async () => {
  const engine = limitedEngine({ hostOps: ['add', 'sub'] });
  const x = scalar('x');
  const f = await compile({ inputs: [x], outputs: [sub(add(x, 1), x)], engine });
  expect((await f.run([array('float32', [], [1e8])]))[0]?.data[0]).toBe(0);
});

const UNARY = { abs, neg, tanh } as const;
const BINARY = { add, mul, maximum } as const;

test('however a graph is divided, it computes the same', async () => {
  const names = [...Object.keys(UNARY), ...Object.keys(BINARY)];
  const step = fc.record({ op: fc.constantFrom(...names), a: fc.nat(), b: fc.nat() });
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 25 }),
      fc.subarray(names),
      fc.array(fc.nat(), { minLength: 1, maxLength: 4 }),
      async (steps, hostOps, picked) => {
        const [x, W] = [vector('x'), shared(array('float32', [2], [0.5, -0.25]), 'W')];
        const made: Variable[] = [x, W];
        for (const { op, a, b } of steps) {
          const [first, second] = [present(made[a % made.length]), present(made[b % made.length])];
          made.push(
            op in UNARY ? UNARY[op as keyof typeof UNARY](first) : BINARY[op as keyof typeof BINARY](first, second),
          );
        }
        // Inputs, shared variables and what is computed on the way are outputs, too.
        const outputs = [present(made.at(-1)), ...picked.map((at) => present(made[at % made.length]))];
        const options = { inputs: [x], outputs, onUnusedInput: 'ignore' } as const;
        const value = array('float32', [2], [0.75, -1.5]);
        const whole = await (await compile({ ...options, engine: limitedEngine({}) })).run([value]);
        const divided = await compile({ ...options, engine: limitedEngine({ hostOps }) });
        for (const [at, result] of (await divided.run([value])).entries())
          expectClose(result, present(whole[at]), 1e-6);
        const onHost = divided.explain().hostOps.map(({ op }) => op);
        expect(onHost.every((op) => hostOps.includes(op))).toBe(true);
      },
    ),
    { numRuns: 60, seed: 3 },
  );
});
