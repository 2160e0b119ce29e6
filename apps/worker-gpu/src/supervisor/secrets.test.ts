import { expect, test } from 'vitest';
import { masking } from './secrets.js';

test('secrets are masked wherever they stand, each line of one too, and the longest first', () => {
  const masked = masking(['hf_abc', 'hf_abc_def', 'first line\nsecond line', 'x']);
  expect(masked('token=hf_abc_def, again hf_abc; x stays')).toBe('token=***, again ***; x stays');
  expect(masked('it printed second line')).toBe('it printed ***');
});

test('without secrets nothing is masked', () => {
  expect(masking([])('all of it')).toBe('all of it');
});
