import { expect, test } from 'vitest';

import { Terminal } from './terminal.js';

const HOSTILE = 'A\x1B[2J\x1B[31m\r\x9BB\u202EC';
const SEEN = String.raw`A\x1b[2J\x1b[31m\x0d\x9bB\u202eC`;

test('whatever is written, only styles act on a terminal, and only those that it gave itself', () => {
  const { terminal, written } = recorded({ coloured: true });
  terminal.print(HOSTILE);
  terminal.say(`${terminal.style('red', HOSTILE)}\n\t.`);
  terminal.redraw([terminal.style('bold', HOSTILE)], 2);
  expect(written()).toEqual([`${SEEN}\n`, `\x1B[31m${SEEN}\x1B[39m\n\t.\n`, `\x1B[2A\x1B[0J\x1B[1m${SEEN}\x1B[22m\n`]);
});

test('a line in the place of the unfinished one is cut to the width, also where the terminal says none', () => {
  const { terminal, written } = recorded({ coloured: true, columns: () => 9 });
  terminal.overwrite(`\x1B[2Jabcdefgh`);
  expect(written()).toEqual([`\r\x1B[K${String.raw`\x1b[2Ja`}`]);
  expect(recorded({ coloured: true, columns: () => 0 }).terminal.columns).toBe(100);
});

test('where no colours are seen there are none', () => {
  const { terminal, written } = recorded({ coloured: false });
  terminal.say(`${terminal.style('red', 'a')}${terminal.style('dim', HOSTILE)}`);
  expect(written()).toEqual([`a${SEEN}\n`]);
});

test('JSON reads back as the same value', () => {
  const { terminal, written } = recorded({ coloured: true });
  terminal.printJson({ [HOSTILE]: HOSTILE });
  expect(JSON.parse(written().join(''))).toEqual({ [HOSTILE]: HOSTILE });
});

function recorded(options: { coloured: boolean; columns?: () => number }): {
  terminal: Terminal;
  written: () => readonly string[];
} {
  const pieces: string[] = [];
  const write = (text: string): void => void pieces.push(text);
  return { terminal: new Terminal({ ...options, writeResult: write, writeRemark: write }), written: () => pieces };
}
