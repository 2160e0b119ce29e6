import { Diverged, InvalidParams } from '@longrun/blocks';
import { StateMismatch } from '@longrun/serialization';
import { EngineUnavailable } from '@longrun/tensor';
import { expect, test } from 'vitest';
import { CheckpointUnreadable, failureOf, ForkUnfit } from './failure.js';

test.each([
  [new InvalidParams('mlp', [{ path: ['dims'], message: 'too few' }]), 'invalid_params'],
  [new ForkUnfit(new StateMismatch('W is (2, 3) in it')), 'invalid_params'],
  [new CheckpointUnreadable(new StateMismatch('version 7')), 'checkpoint_unreadable'],
  [new Diverged({ step: 9, record: 'cost', value: Number.NaN }), 'diverged'],
  [new RangeError('Array buffer allocation failed'), 'out_of_memory'],
  [new Error('a snapshot', { cause: Object.assign(new Error('no space'), { code: 'ENOSPC' }) }), 'worker_disk'],
  [Object.assign(new Error('read-only file system'), { code: 'EROFS', syscall: 'open' }), 'program_error'],
  [Object.assign(new Error('no such file'), { code: 'ENOENT', syscall: 'open' }), 'program_error'],
  [new TypeError('x is not a function'), 'program_error'],
  ['a string', 'program_error'],
])('%s ends training as %s', (error, reason) => {
  expect(failureOf(error).reason).toBe(reason);
});

test('the message has all causes, and a bug its stack', () => {
  const failure = failureOf(new Error('a snapshot could not be written', { cause: new Error('bad luck') }));
  expect(failure.message).toBe('a snapshot could not be written: bad luck');
  expect(failure.stack).toContain('failure.test.ts');
  expect(failureOf(new EngineUnavailable('There is no engine mine')).stack).toBeUndefined();
});
