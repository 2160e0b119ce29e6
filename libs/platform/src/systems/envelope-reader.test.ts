import { EventEnvelope } from '@longrun/contracts';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { MAX_DEPTH, readBySchema, readEnvelope, readFast } from './envelope-reader.js';

const AT = '2026-01-02T03:04:05.678Z';

/** Mostly as it should be. */
function mostly<T>(fine: fc.Arbitrary<T>): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 9, arbitrary: fine }, { weight: 1, arbitrary: odd });
}

/** Values that stand on both sides of what is allowed. */
const odd = fc.constantFrom<unknown>(
  null,
  undefined,
  true,
  '',
  'x',
  [],
  {},
  0,
  -0,
  -1,
  0.5,
  1,
  2 ** 53 - 1,
  2 ** 53,
  '1',
  'stdout',
  'stderr',
  'experiment',
  AT,
);

const key = fc.oneof(
  fc.string(),
  fc.constantFrom('__proto__', 'constructor', 'a\0b', '\uD800', 'x\uDC00', '\u{1F600}', 'toString'),
);

const anyText = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('\0', '\uD83D', '\uDE00x', '\u{1F600}', 'NaN'));

const value = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    odd,
    anyText,
    fc.double(),
    fc.constantFrom('1e999', '-1e999').map((literal) => new Literal(literal)),
    fc.array(tie('json'), { maxLength: 3 }),
    fc.array(fc.tuple(key, tie('json')), { maxLength: 3 }).map((entries) => new Entries(entries)),
  ),
})).json;

const row = fc.oneof(
  { weight: 5, arbitrary: fc.array(fc.tuple(key, value), { maxLength: 4 }).map((entries) => new Entries(entries)) },
  { weight: 1, arbitrary: value },
);

const moments = fc.oneof(
  fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  fc.constantFrom(
    AT,
    '2026-02-30T00:00:00Z',
    '2024-02-29T00:00:00Z',
    '2026-01-02T03:04Z',
    '2026-01-02T03:04:05+01:00',
    `${AT}\n`,
  ),
);

const anyEvent = fc.oneof(
  fc.record({ type: fc.constant('log_row'), step: mostly(fc.nat()), row }),
  fc.record({ type: fc.constant('line'), stream: mostly(fc.constantFrom('stdout', 'stderr')), text: mostly(anyText) }),
  fc.record({ type: fc.constant('heartbeat'), step: mostly(fc.nat()), more: value }),
  value,
);

const envelope = fc.record(
  {
    kind: mostly(fc.constantFrom('experiment', 'dataset')),
    id: mostly(anyText),
    fence: mostly(fc.integer({ min: 1 })),
    seq: mostly(fc.nat()),
    at: mostly(moments),
    event: anyEvent,
    more: value,
  },
  { requiredKeys: ['kind', 'id', 'fence', 'seq', 'at', 'event'] },
);

test('what is read fast is what the schema reads, and all else is left to the schema', () => {
  let fast = 0;
  fc.assert(
    fc.property(envelope, (wanted) => {
      const json = write(wanted);
      const bySchema = readBySchema(json);
      const quickly = readFast(json);
      if (quickly !== undefined) fast += 1;
      expect(quickly ?? bySchema).toEqual(bySchema);
      const complete = bySchema?.event === undefined ? undefined : bySchema;
      expect(complete && EventEnvelope.parse(complete)).toEqual(complete);
      expect(readEnvelope(json)).toEqual(bySchema);
    }),
    { numRuns: 3000 },
  );
  expect(fast).toBeGreaterThan(100);
});

test('rows, lines and signs of life that are as they should be are read fast', () => {
  fc.assert(
    fc.property(
      fc
        .oneof(
          fc.record({
            type: fc.constant('log_row'),
            step: fc.maxSafeNat(),
            row: fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue()),
          }),
          fc.record({
            type: fc.constant('line'),
            stream: fc.constantFrom('stdout', 'stderr'),
            text: fc.string({ unit: 'grapheme' }),
          }),
          fc.record({ type: fc.constant('heartbeat'), step: fc.maxSafeNat() }),
        )
        .filter((event) => !JSON.stringify(event).includes('__proto__')),
      (fine) => {
        const json = write({ kind: 'experiment', id: 'exp_1', fence: 1, seq: 3, at: AT, event: fine });
        expect(readFast(json)?.event).toEqual(JSON.parse(JSON.stringify(fine)));
      },
    ),
  );
});

test('what is nested without end is no event, and its envelope counts', () => {
  const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;
  const json = (depth: number): string =>
    `{"kind":"experiment","id":"exp_1","fence":1,"seq":3,"at":"${AT}","event":{"type":"log_row","step":1,"row":{"a":${nested(depth)}}}}`;
  expect(readEnvelope(json(MAX_DEPTH - 1))?.event).toMatchObject({ type: 'log_row' });
  expect(readEnvelope(json(MAX_DEPTH))).toMatchObject({ seq: 3, event: undefined });
  expect(readEnvelope(json(200_000))).toMatchObject({ seq: 3, event: undefined });
});

/** An object of any keys, also of those that a literal cannot have. */
class Entries {
  readonly entries: readonly (readonly [string, unknown])[];

  constructor(entries: readonly (readonly [string, unknown])[]) {
    this.entries = entries;
  }
}

/** JSON of its own making. */
class Literal {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** `JSON.stringify`, for values that have no other way into JSON too. */
function write(wanted: unknown): string {
  if (wanted instanceof Literal) return wanted.text;
  if (wanted instanceof Entries) {
    return `{${wanted.entries.map(([name, item]) => `${JSON.stringify(name)}:${write(item)}`).join(',')}}`;
  }
  if (Array.isArray(wanted)) return `[${wanted.map(write).join(',')}]`;
  if (typeof wanted === 'object' && wanted !== null) {
    const entries = Object.entries(wanted).filter(([, item]) => item !== undefined);
    return write(new Entries(entries));
  }
  return JSON.stringify(wanted) ?? 'null';
}
