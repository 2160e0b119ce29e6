import { drawnExamples, FilterSources, Padding, type DataStream } from '@longrun/fuel';
import { ndarray, type NdArray, type RandomAt } from '@longrun/serialization';

/** What lines are made of: the end of a line, and then the characters that it is written with. */
export const CHARACTERS = '\n abcdefghijklmnopqrstuvwxyz';
/** The place of the end of a line among the {@link CHARACTERS}. */
export const END_OF_LINE = 0;

/** Which lines are drawn. */
export interface LinesOptions {
  /** Lines in an epoch. */
  readonly lines: number;
  /** Words in a line, at most. */
  readonly words: number;
  /** Letters in a word, at most; at least 2. */
  readonly letters: number;
  readonly batchSize: number;
  readonly seed: number;
}

/**
 * Batches of lines of words of random letters: `characters` (batch, time), the places of each line's characters with the end, `reversed` the same with each word
 * written backwards, the words in their order, and the mask of both, `characters_mask`. The lines of training are other ones with each epoch; no word of those of
 * the test is ever among them.
 */
export function linesStream(split: 'train' | 'test', options: LinesOptions): DataStream {
  const { lines, words, letters, batchSize, seed } = options;
  const drawn = drawnExamples({
    sources: ['characters', 'reversed'],
    examplesCount: lines,
    batchSize,
    seed,
    stage: split,
    isRenewed: split === 'train',
    draw: (random) => {
      const count = 1 + random.integer(words);
      const line = Array.from({ length: count }, () => word(random, letters, split === 'test')).join(' ');
      return new Map([
        ['characters', encoded(line)],
        ['reversed', encoded(reversed(line))],
      ]);
    },
  });
  return new FilterSources(new Padding(drawn), ['characters', 'characters_mask', 'reversed']);
}

/** The line with each of its words written backwards, the words in their order. */
export function reversed(line: string): string {
  return line
    .split(' ')
    .map((one) => one.split('').toReversed().join(''))
    .join(' ');
}

/** The line that some places of characters say, up to its end. */
export function decoded(places: readonly number[]): string {
  const end = places.indexOf(END_OF_LINE);
  return (end < 0 ? places : places.slice(0, end)).map((place) => CHARACTERS[place]).join('');
}

/** A word of 2 to `letters` letters, by which it is told whether it is held out: one in eight is. */
function word(random: RandomAt, letters: number, isHeldOut: boolean): string {
  for (;;) {
    const drawn = Array.from({ length: 2 + random.integer(letters - 1) }, () => 2 + random.integer(26));
    const sum = drawn.reduce((total, letter, place) => total + (place + 1) * letter, 0);
    if ((sum % 8 === 0) === isHeldOut) return decoded(drawn);
  }
}

function encoded(line: string): NdArray<'int64'> {
  const places = Array.from(line, (character) => BigInt(CHARACTERS.indexOf(character)));
  return ndarray('int64', [places.length + 1], BigInt64Array.from([...places, BigInt(END_OF_LINE)]));
}
