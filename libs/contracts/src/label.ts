import type { ExperimentSpec } from './experiment-spec.js';
import type { ValueFault } from './fault.js';
import { StorableText } from './json.js';
import { rule } from './rule.js';
import { shownValue } from './shown-value.js';
import { hasUnseen } from './visible-text.js';

const UNSEEN = rule('a character that cannot be seen is in it, such as a control character', 'remove it');
const MISREAD = rule('U+FFFD is in it, which stands for text that was decoded wrongly', 'send it in UTF-8');

/** A line for people, such as a name: all of it can be seen. */
export const Label = StorableText.refine((text) => text.includes('\0') || !hasUnseen(text), UNSEEN);

/**
 * What is wrong with the texts for people of a new experiment. Names and tags are labels; notes may have lines and tabs. Experiments
 * of an older version may have other texts, which the schema of a spec therefore takes.
 */
export function labelFaults({ name, tags = [], notes }: Pick<ExperimentSpec, 'name' | 'tags' | 'notes'>): ValueFault[] {
  const labels = [
    { path: ['name'], text: name ?? '' },
    ...tags.map((text, index) => ({ path: ['tags', index], text })),
  ];
  return [
    ...labels.flatMap(({ path, text }) => {
      if (hasUnseen(text)) return [broken(path, text, UNSEEN)];
      return text.includes('\uFFFD') ? [broken(path, text, MISREAD)] : [];
    }),
    ...(hasUnseen((notes ?? '').replaceAll(/\r\n|[\n\t]/g, '')) ? [broken(['notes'], notes, UNSEEN)] : []),
  ];
}

function broken(path: (string | number)[], value: unknown, { error, params }: ReturnType<typeof rule>): ValueFault {
  return {
    path,
    code: 'rule-broken',
    facts: { value: shownValue(value), byDefault: false, says: error, remedy: params.remedy },
  };
}
