import type { ExperimentSpec } from './experiment-spec.js';
import type { ValueFault } from './fault.js';
import { StorableText } from './json.js';
import { rule } from './rule.js';
import { shownValue } from './shown-value.js';
import { firstUnseen, hasUnseen } from './visible-text.js';

type Broken = ReturnType<typeof rule>;

/** A line for people, such as a name or a reason: all of it can be seen. */
export const Label = StorableText.check(({ value, issues }) => {
  const broken = value.includes('\0') ? undefined : brokenByLabel(value);
  if (broken !== undefined)
    issues.push({ code: 'custom', input: value, message: broken.error, params: broken.params, continue: true });
});

/**
 * What is wrong with the texts for people of a new experiment. Names and tags are labels; notes may have lines and tabs, and what
 * joins or parts characters of some scripts. Experiments of an older version may have other texts, which the schema of a spec
 * therefore takes.
 */
export function labelFaults({ name, tags = [], notes }: Pick<ExperimentSpec, 'name' | 'tags' | 'notes'>): ValueFault[] {
  return [
    ...faults(['name'], name, brokenByLabel),
    ...tags.flatMap((tag, index) => faults(['tags', index], tag, brokenByLabel)),
    ...faults(['notes'], notes, brokenByNotes),
  ];
}

function brokenByLabel(text: string): Broken | undefined {
  const unseen = firstUnseen(text);
  return unseen === undefined
    ? misread(text)
    : rule(`${codePoint(unseen)} is in it, which cannot be seen`, 'remove it');
}

function brokenByNotes(text: string): Broken | undefined {
  const isHidden = hasUnseen(text.replaceAll(/\r\n|[\n\t]/g, ''));
  return isHidden
    ? rule('a character that cannot be seen is in it, such as a control character', 'remove it')
    : misread(text);
}

function misread(text: string): Broken | undefined {
  if (!text.includes('\uFFFD')) return undefined;
  return rule('U+FFFD is in it, which stands for text that was decoded wrongly', 'send it in UTF-8');
}

function codePoint(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}

function faults(
  path: (string | number)[],
  text: string | undefined,
  brokenBy: (text: string) => Broken | undefined,
): ValueFault[] {
  const broken = text === undefined ? undefined : brokenBy(text);
  if (broken === undefined) return [];
  const { error: says, params } = broken;
  return [
    { path, code: 'rule-broken', facts: { value: shownValue(text), byDefault: false, says, remedy: params.remedy } },
  ];
}
