import { createReadStream } from 'node:fs';
import { CorruptInput } from '../errors.js';

/**
 * The rows of a text of zeros and ones, as binarized MNIST is published: a line for each row, white space between its numbers; empty
 * lines are passed over. In pieces of whole rows, with one byte, 0 or 1, for each number. Memory stays small.
 *
 * @param width numbers in a row
 * @throws CorruptInput for any other text, naming the line; and for one without rows
 */
export async function* binaryRows(path: string, width: number): AsyncGenerator<Uint8Array, void, undefined> {
  let piece = new Uint8Array(ROWS_AT_ONCE * width);
  let rows = 0;
  let line = 1;
  let numbers = 0;
  let isEmpty = true;
  let isAfterSpace = true;
  const endLine = (): void => {
    if (numbers !== 0 && numbers !== width) throw corrupt(path, line, `has ${numbers} numbers, but a row has ${width}`);
    if (numbers !== 0) rows += 1;
    numbers = 0;
    line += 1;
    isAfterSpace = true;
  };
  for await (const text of createReadStream(path) as AsyncIterable<Buffer>) {
    for (const byte of text) {
      if (byte === NEWLINE) {
        endLine();
        if (rows < ROWS_AT_ONCE) continue;
        yield piece;
        piece = new Uint8Array(ROWS_AT_ONCE * width);
        rows = 0;
      } else if (byte === SPACE || byte === TAB || byte === RETURN) isAfterSpace = true;
      else if ((byte !== ZERO && byte !== ONE) || !isAfterSpace) {
        throw corrupt(
          path,
          line,
          `has ${JSON.stringify(String.fromCodePoint(byte))} where 0, 1 or a space is expected`,
        );
      } else {
        if (numbers === width) throw corrupt(path, line, `has more numbers than the ${width} of a row`);
        piece[rows * width + numbers] = byte - ZERO;
        numbers += 1;
        isAfterSpace = false;
        isEmpty = false;
      }
    }
  }
  endLine();
  if (isEmpty) throw new CorruptInput(path, `has no rows; ${REMEDY}`);
  if (rows > 0) yield piece.subarray(0, rows * width);
}

const ROWS_AT_ONCE = 1024;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const TAB = 0x09;
const SPACE = 0x20;
const ZERO = 0x30;
const ONE = 0x31;
const REMEDY = 'download it again';

function corrupt(path: string, line: number, problem: string): CorruptInput {
  return new CorruptInput(path, `line ${line} ${problem}; ${REMEDY}`);
}
