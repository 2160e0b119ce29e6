import { expect, test } from 'vitest';

import { Hypotheses } from './hypotheses.js';

/** Of each step, the scores of ending and of two other outputs. */
const STEPS = [
  [-0.1, -3, -4],
  [-3.2, -3.1, -9],
  [-5, -4, -9],
];

function extended(lengthPenalty: number): { readonly hypotheses: Hypotheses; readonly open: readonly number[] } {
  const hypotheses = new Hypotheses(2, { eolSymbol: 0, maxLength: 5, lengthPenalty });
  const open = STEPS.map((scores) => hypotheses.extend([scores]).length);
  return { hypotheses, open };
}

test('a search ends when what goes on cannot become better than what has ended', () => {
  const { hypotheses, open } = extended(0);

  expect(open).toEqual([1, 1, 0]);
  expect(hypotheses.open).toEqual([]);
  expect(hypotheses.best).toEqual([
    { outputs: [0], logProbability: -0.1, score: -0.1, isComplete: true },
    { outputs: [1, 0], logProbability: -3.2, score: -3.2, isComplete: true },
  ]);
});

test('a search goes on where length may make up for it', () => {
  const { hypotheses, open } = extended(1);

  expect(open).toEqual([1, 1, 1]);
  expect(hypotheses.open).toEqual([{ outputs: [1, 1, 1], logProbability: -4, parent: 0 }]);
  expect(hypotheses.best.map(({ score }) => score)).toEqual([-0.1, -1.6]);
});

test('an end that is no output is refused', () => {
  const afterOne = (eolSymbol: number): unknown =>
    new Hypotheses(2, { eolSymbol, maxLength: 5 }).extend([new Float64Array(3)]);
  expect(afterOne(2)).toHaveLength(2);
  expect(() => afterOne(3)).toThrow(
    'BeamSearch: eolSymbol is 3, and there are 3 outputs; give one of them, from 0 to 2',
  );
  for (const none of [-1, 0.5, Number.NaN]) expect(() => afterOne(none)).toThrow(`BeamSearch: eolSymbol is ${none};`);
});
