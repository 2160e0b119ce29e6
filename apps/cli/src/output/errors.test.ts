import { ApiProblem } from '@longrun/client';
import { type Problem, type ProblemKind, problemType } from '@longrun/contracts';
import { expect, test } from 'vitest';

import { exitCodeOf, sayError } from './errors.js';
import { Terminal } from './terminal.js';

const known = { detail: 'What the API says.', remedy: 'What REST would do.' };

test('a refusal is printed by field, with remedies in terms of the command line', () => {
  const by = `exp_${'0'.repeat(32)}`;
  const text = said([
    {
      pointer: '/params/dims/0',
      code: 'out-of-range',
      facts: { value: '0', measure: 'number', size: null, relation: 'at least', bound: 1, says: null },
      ...known,
    },
    { pointer: '/params/a~1b~0c', code: 'of-a-newer-version', facts: { x: 1 }, ...known },
    { pointer: 'Idempotency-Key', code: 'key-reused', facts: { key: 'k', by }, ...known },
    { pointer: '/dataset', code: 'key-reused', facts: { of: 'a newer version' }, ...known },
    { pointer: '', code: 'not-found', facts: { what: 'dataset', id: 'x' }, ...known },
  ]);
  expect(text.split('\n')).toEqual([
    'longrun: A title (HTTP 422)',
    '  params.dims.0: What the API says.',
    '    → What REST would do.',
    '  params.a/b~c: What the API says.',
    '    → What REST would do.',
    '  --idempotency-key: What the API says.',
    `    → Give another --idempotency-key, or see what this one has made: longrun show ${by}`,
    '  dataset: What the API says.',
    '    → What REST would do.',
    '  the request: What the API says.',
    '    → See which there are: longrun ls --datasets',
  ]);
});

test('what the API says of the text that it was sent is said of the spec', () => {
  const facts = { measure: 'values', limit: 10_000, line: 1 };
  expect(said([{ pointer: '', code: 'json-too-large', facts, ...known }])).toMatch(
    /the request: It has more than the 10000 values .*\n +→ Keep the spec within 10000 values/,
  );
});

test('what there is no checkpoint of yet is told with a command that can be given as it stands', () => {
  const experiment = `exp_${'0'.repeat(32)}`;
  const facts = { experiment, checkpoint: 'latest', known: [] };
  expect(said([{ pointer: 'checkpoint', code: 'checkpoint-unknown', facts, ...known }])).toContain(
    `→ See how far it is: longrun show ${experiment}`,
  );
});

test.each([
  ['checkpoint-damaged', { says: 'file state.json has SHA-256 x' }, 'checkpoint verify EXPERIMENT --all'],
  ['too-many-holds', { holds: 1_000 }, 'checkpoint ls EXPERIMENT'],
])('the remedy of %s is a command that can be given as it stands', (code, facts, command) => {
  const experiment = `exp_${'0'.repeat(32)}`;
  const fault = { pointer: '', code, facts: { experiment, checkpoint: '100-3', ...facts }, ...known };
  expect(said([fault])).toContain(`longrun ${command.replace('EXPERIMENT', experiment)}`);
});

test('a refusal without errors is told by its detail', () => {
  expect(said([])).toBe('longrun: The whole. (HTTP 422)');
});

test.each([
  ['what stands in it', 2, { code: 'unknown-key', facts: { key: 'sede', known: ['seed'], nearest: 'seed' } }],
  ['what stands in it, in the words of a newer API', 2, { code: 'of-a-newer-version', facts: {} }],
  ['too much in it', 2, { code: 'json-too-large', facts: { measure: 'values', limit: 10_000, line: 1 } }],
  ['its size', 2, { code: 'body-too-large', facts: { limitBytes: 1_000_000 } }],
  ['more threads than there are now', 1, { code: 'threads-unavailable', facts: { threads: 9, most: 2 } }],
  [
    'an engine that no worker has now',
    1,
    { code: 'engine-unavailable', facts: { engine: 'onnxruntime', provider: 'cuda', known: ['cpu'] } },
  ],
  ['a key that was used', 1, { code: 'key-reused', facts: { key: 'k', by: 'exp_0' } }],
  ['a name that nothing has', 1, { code: 'name-unknown', facts: {} }],
  ['a dataset that has failed', 1, { code: 'dataset-failed', facts: {} }],
  ["a program that is broken on the API's side", 1, { code: 'program-broken', facts: { program: 'mlp', says: 'no' } }],
] as const)('a spec that is refused for %s has exit code %i', (_what, exitCode, fault) => {
  const kind = fault.code.endsWith('too-large') ? 'body-too-large' : 'invalid-request';
  expect(exitCodeOf(refusal([{ pointer: '/program', ...fault, ...known }], kind))).toBe(exitCode);
});

function said(errors: NonNullable<Problem['errors']>): string {
  let text = '';
  const terminal = new Terminal({ writeResult: () => {}, writeRemark: (piece) => (text += piece) });
  sayError(terminal, refusal(errors));
  return text.trimEnd();
}

function refusal(errors: NonNullable<Problem['errors']>, kind: ProblemKind = 'invalid-request'): ApiProblem {
  return new ApiProblem({
    type: problemType(kind),
    title: 'A title',
    status: 422,
    detail: 'The whole.',
    errors,
  });
}
