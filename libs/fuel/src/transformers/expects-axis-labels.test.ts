import { expect, test, vi } from 'vitest';
import { AxisLabelsMismatchError } from '../errors.js';
import { ExpectsAxisLabels } from './expects-axis-labels.js';

const EXPECTED = ['batch', 'channel', 'height', 'width'];

test('2.5-01, 2.5-02, 2.6-01: other axes are refused, naming both', () => {
  const axes = new ExpectsAxisLabels('Crop');

  for (const actual of [['batch', 'height', 'width', 'channel'], ['batch', 'channel', 'height'], []]) {
    expect(() => axes.verifyAxisLabels(EXPECTED, actual, 'images')).toThrow(AxisLabelsMismatchError);
  }
  expect(() => axes.verifyAxisLabels(EXPECTED, ['batch', 'height'], 'images')).toThrow(
    'Crop: the axes of images are (batch, height), but should be (batch, channel, height, width); transpose it first (Mapping)',
  );
});

test('what is right once is looked at no more; what is not known is warned of once', () => {
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  const axes = new ExpectsAxisLabels('Crop');

  axes.verifyAxisLabels(EXPECTED, EXPECTED, 'images');
  axes.verifyAxisLabels(EXPECTED, ['index'], 'images');
  axes.verifyAxisLabels(EXPECTED, null, 'others');
  axes.verifyAxisLabels(EXPECTED, undefined, 'others');

  expect(warn.mock.calls.map(([words]) => words)).toEqual([
    'Crop: the axes of others should be (batch, channel, height, width), but nothing says what they are; give the dataset axisLabels',
  ]);
  warn.mockRestore();
});
