import type { HyperparameterSetting } from './hyperparameters.js';
import { visibleLine } from './visible-text.js';

/** `adam.learning_rate = 0.001 from step 321 on`: what is set, and at which step. */
export function settingText({ values, step }: HyperparameterSetting): string {
  const each = Object.entries(values).map(([name, value]) => `${visibleLine(name)} = ${value}`);
  return `${each.join(', ')} ${step === null ? 'before its next batch' : `from step ${step} on`}`;
}
