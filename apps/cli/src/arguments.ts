import { VariableName } from '@longrun/contracts';
import { Argument, InvalidArgumentError, Option } from 'commander';

import type { KnownKind } from './completion/known-words.js';

/** How a checkpoint is named, for help. */
export const WHICH = 'step or name of a checkpoint, or latest';

/** Whether a command's output is for programs. */
export function jsonOption(): Option {
  return new Option('--json', 'machine-readable output').default(false);
}

/** Of an option that is repeatable. */
export function appended(value: string, earlier: readonly string[]): string[] {
  return [...earlier, value];
}

/** Of an argument that takes several words, each of which is read so. */
export function eachOf(read: (text: string) => string): (text: string, earlier: unknown) => string[] {
  return (text, earlier) => appended(read(text), Array.isArray(earlier) ? earlier : []);
}

/** Names with commas between. @throws InvalidArgumentError */
export function listed(text: string): string[] {
  const words = text.split(',').map((word) => word.trim());
  if (!words.includes('')) return words;
  throw new InvalidArgumentError('Give names with commas between.');
}

/** The name of a folder. @throws InvalidArgumentError */
export function folder(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('Give the name of a folder.');
  return text;
}

/** The name of a file. @throws InvalidArgumentError */
export function fileName(text: string): string {
  if (text.trim() !== '' && !/[\\/]$/.test(text)) return text;
  throw new InvalidArgumentError('Give the name of a file, which ends in no slash.');
}

/** What stands for `--latest` where an id is taken; no word of a command line can have it in it. */
export const LATEST = '\0latest';

/** The words of a command line with {@link LATEST} in the place of `--latest`, which is an id and no option. */
export function withLatest(words: readonly string[]): string[] {
  const end = words.indexOf('--');
  return words.map((word, index) => (word === '--latest' && (end === -1 || index < end) ? LATEST : word));
}

/** A text about words of a command line, with `--latest` as it was typed. */
export function asTyped(text: string): string {
  return text.replaceAll(LATEST, '--latest');
}

/** What an experiment or a dataset is given by. */
export function idArgument(name = '<id>', what = 'id, beginning of an id, or name'): Argument {
  return new ReferenceArgument(name, `${what}; --latest: the newest experiment`).argParser<string>(experimentReference);
}

/** An argument that means an experiment, a dataset (`<dataset>`), or (`<id>`) either. */
export class ReferenceArgument extends Argument {
  get completes(): KnownKind {
    switch (this.name()) {
      case 'experiment':
        return 'experiments';
      case 'dataset':
        return 'datasets';
      default:
        return 'references';
    }
  }
}

/** What an experiment or a dataset is meant by, {@link LATEST} among it. @throws InvalidArgumentError */
export function experimentReference(text: string): string {
  return text === LATEST ? LATEST : reference(text);
}

/** What another thing, such as a checkpoint or a worker, is meant by. @throws InvalidArgumentError */
export function reference(text: string): string {
  if (text === LATEST) throw new InvalidArgumentError('--latest is an experiment; give an id.');
  // As a table shows an id that it had to cut.
  const given = text.replace(/…$/, '');
  // Nothing is called by dots, which a URL leaves out of its path.
  if (/^\.{0,2}$/.test(given.trim())) throw new InvalidArgumentError('Give an id.');
  return given;
}

/** The address of a server. @throws InvalidArgumentError */
export function serverUrl(text: string): string {
  if (/^https?:\/\//.test(text) && URL.canParse(text)) return text.replace(/\/+$/, '');
  throw new InvalidArgumentError(
    'Give an address that begins with http:// or https://, as https://longrun.example.org.',
  );
}

/** What a program can find a secret by. */
export function secretName(text: string): string {
  const { success, error } = VariableName.safeParse(text);
  if (success) return text;
  throw new InvalidArgumentError(
    `${error.issues[0]?.message ?? ''}: give A-Z, 0-9 and \`_\`, and no name that begins with LONGRUN_, NODE_ or LD_.`,
  );
}

/** What makes a submission that is repeated the same one. */
export function idempotencyOption(): Option {
  return new Option('--idempotency-key <key>', 'the same key submits at most once (default: a new one)').argParser(
    idempotencyKey,
  );
}

/** What a header can hold, as the API demands. */
function idempotencyKey(text: string): string {
  if (/^[!-~]{1,255}$/.test(text)) return text;
  throw new InvalidArgumentError('Give 1 to 255 visible ASCII characters without blanks, such as a UUID.');
}

/** A whole number within bounds. @throws InvalidArgumentError */
export function wholeNumber({ least, most }: { least: number; most: number }): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`Give a whole number from ${least} to ${most}.`);
  };
}

/** Collects numbers by name, of words such as `learning_rate=1e-4`. */
export function namedNumber(text: string, before: Readonly<Record<string, number>> = {}): Record<string, number> {
  const equals = text.indexOf('=');
  const [name, word] = equals === -1 ? ['', ''] : [text.slice(0, equals), text.slice(equals + 1)];
  const value = word.trim() === '' ? NaN : Number(word);
  if (name === '' || !Number.isFinite(value)) {
    throw new InvalidArgumentError(`Give a name and a number, as in learning_rate=1e-4, not ${text}.`);
  }
  return { ...before, [name]: value };
}
