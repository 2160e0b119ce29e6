import { expect, test } from 'vitest';

import { bar, LiveLines } from './live-lines.js';
import { Terminal } from './terminal.js';

test('at a terminal lines change in place, what is said stays above them, and settled ones stay for good', () => {
  const { terminal, screen } = recorded({ interactive: true, columns: 12 });
  const lines = new LiveLines(terminal);
  lines.set('a', 'a 1', '');
  lines.set('b', 'b 1', '');
  lines.set('a', 'a 2', '');
  lines.say('said');
  lines.set('b', terminal.style('bold', 'b is longer than a line'), '');
  expect(screen()).toEqual(['said', 'a 2', '\x1B[1mb is longer\x1B[22m']);

  lines.settle();
  lines.set('a', 'a 3', '');
  expect(screen()).toEqual(['said', 'a 2', '\x1B[1mb is longer\x1B[22m', 'a 3']);
});

test('a changing line is one row, whatever is in it, and wide characters take two columns each', () => {
  const { terminal, screen } = recorded({ interactive: true, columns: 12 });
  const lines = new LiveLines(terminal);
  lines.set('a', 'a\nb\x1B[2J', '');
  lines.set('b', '学習データの変換', '');
  lines.set('a', 'a 2', '');
  expect(screen()).toEqual(['a 2', '学習データ']);
});

test('elsewhere a line is printed when its milestone changes', () => {
  const { terminal, screen } = recorded({ interactive: false, columns: 12 });
  const lines = new LiveLines(terminal);
  for (const step of [1, 2, 30, 31, 60])
    lines.set('run', `a long line for step ${step}`, String(Math.floor(step / 25)));
  lines.say('said');
  expect(screen()).toEqual(['a long line for step 1', 'a long line for step 30', 'a long line for step 60', 'said']);
});

test('a bar is full only at the end', () => {
  expect([0, 0.5, 0.99, 1, 1.2].map((share) => bar(share, 4))).toEqual(['░░░░', '██░░', '███░', '████', '████']);
});

/** A terminal whose rows can be looked at: it knows line ends and `up N, erase below`. */
function recorded(options: { interactive: boolean; columns: number }): { terminal: Terminal; screen: () => string[] } {
  let rows: string[] = [];
  const write = (text: string): void => {
    // eslint-disable-next-line no-control-regex -- control sequences are what is looked for
    const [, up, rest = text] = /^\x1B\[(\d+)A\x1B\[0J([^]*)$/.exec(text) ?? [];
    rows = rows.slice(0, rows.length - Number(up ?? 0));
    rows.push(...rest.split('\n').slice(0, -1));
  };
  const { interactive, columns } = options;
  const terminal = new Terminal({
    writeResult: write,
    writeRemark: write,
    coloured: true,
    interactive,
    columns: () => columns,
  });
  return { terminal, screen: () => rows };
}
