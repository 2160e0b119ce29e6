import { expect, test } from 'vitest';

import { Fifo } from './fifo.js';

test('it is as an array is, whatever is put in and taken out', () => {
  const fifo = new Fifo<number>();
  const array: number[] = [];
  let next = 0;
  // How many go in and come out in turn: growing far, drained to nothing and below, and all the while about half full.
  const turns = [3, 200, ...Array.from({ length: 50 }, (_, turn) => turn * 7)];
  for (const [turn, count] of turns.entries()) {
    for (let put = 0; put < count; put += 1) {
      fifo.push(next);
      array.push(next);
      next += 1;
    }
    const taken = turn % 10 === 9 ? array.length + 2 : Math.floor(count / 2) + (turn % 3) * 40;
    for (let take = 0; take < taken; take += 1) expect(fifo.shift()).toBe(array.shift());
    expect([fifo.length, fifo.first, fifo.last, fifo.at(3)]).toEqual([array.length, array[0], array.at(-1), array[3]]);
  }
  fifo.push(1);
  fifo.clear();
  expect([fifo.length, fifo.first, fifo.last, fifo.shift()]).toEqual([0, undefined, undefined, undefined]);
});
