import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import * as fc from 'fast-check';
import { afterAll, expect, test, vi } from 'vitest';

import { decodeManifest } from '../src/checkpoint/manifest.js';
import {
  batched,
  count,
  cycle,
  HeadDamaged,
  islice,
  type Json,
  NewerState,
  openObjectStore,
  randomAt,
  RandomState,
  RandomStreams,
  readHead,
  StateMismatch,
  type Stateful,
  zip,
} from '../src/index.js';
import { sha256Of } from '../src/sha256.js';
import type { RegisterValue } from '../src/store/object-store.js';
import { StoreAround } from '../src/store/store-around.js';
import { type FuzzedReader, Fuzzing } from './fuzzed-reader.js';

// Whatever the bytes: a head, a manifest or a state is read, or refused by an error that is documented and short, and no buffer is made
// that is larger than they are.

const allocated = await vi.hoisted(async () => (await import('./watched-buffers.js')).watchBuffers());
const fuzzing = new Fuzzing(allocated);

/** What may be allocated for any: the words of a `RandomState` that is made to restore it. */
const SMALL_BYTES = 2_496;
/** However long what is refused is. */
const LONGEST_MESSAGE = 4_000;
const SHA256 = 'ab'.repeat(32);

interface Reader {
  readonly valid: readonly Json[];
  readonly errors: readonly (new (message: string) => Error)[];
  readonly read: (bytes: Buffer) => unknown;
}

const folder = mkdtempSync(path.join(tmpdir(), 'checkpoint-json-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A store whose registers have given bytes. */
class WithRegister extends StoreAround {
  bytes: Uint8Array = Buffer.of();

  override async readRegister(): Promise<RegisterValue> {
    return { bytes: this.bytes, version: '1' };
  }

  protected override async around<T>(_: unknown, __: unknown, perform: (options: object) => Promise<T>): Promise<T> {
    return await perform({});
  }
}

const register = new WithRegister(await openObjectStore(`file:${folder}`));

const segment = {
  firstStep: 1,
  lastStep: 9,
  rows: 9,
  textBytes: 400,
  sizeBytes: 90,
  sha256: SHA256,
  keys: [`p/log/a/1/${SHA256}-5`, `p/log/b/1/${SHA256}-6`],
};
const entry = { manifestKey: 'p/checkpoints/9-1.json', copyKey: 'p/checkpoints/9-1-7.json', sha256: SHA256, step: 9 };
const file = { name: 'state.json', blobKey: `p/blobs/1/${SHA256}-8`, sha256: SHA256, sizeBytes: 12 };
const CREATED_AT = '2026-01-02T03:04:05.678Z';
const log = { fence: 1, createdAt: CREATED_AT, log: [segment, segment] };
const held = {
  holder: 'worker-a',
  claim: 'a claim',
  checkpoints: [entry, entry],
  outcome: { reason: 'done', steps: [1, 2] },
};
const made = { step: 9, createdAt: CREATED_AT, environment: { engine: 'reference', threads: 2 }, files: [file, file] };

const states: Readonly<Record<string, () => Stateful & { next?(): unknown }>> = {
  RandomState: () => new RandomState(3),
  RandomStreams: () => {
    const streams = new RandomStreams(3);
    for (const name of ['a', 'b']) streams.stream(name).normal();
    return streams;
  },
  RandomStream: () => new RandomStreams(3).stream('a'),
  RandomAt: () => randomAt(3, { epoch: 1, index: 2, stage: 'crop' }),
  itertools: () => batched(zip(cycle(['a', 'b', 'c']), islice(count(5, 2), 20)), 2),
};

const READERS: Readonly<Record<string, Reader>> = {
  head: {
    valid: [
      { version: 2, fence: 1, ...held, log },
      { version: 1, epoch: 1, ...held, outcome: null },
    ],
    errors: [HeadDamaged, NewerState],
    read: async (bytes) => {
      register.bytes = bytes;
      return await readHead(register, 'p');
    },
  },
  manifest: {
    valid: [
      { version: 2, fence: 1, ...made, log: [segment] },
      { version: 1, epoch: 1, ...made },
    ],
    errors: [StateMismatch],
    read: (bytes) => decodeManifest('p/checkpoints/9-1.json', bytes, sha256Of(bytes)),
  },
  ...Object.fromEntries(
    Object.entries(states).map(([name, make]): [string, Reader] => {
      const used = make();
      used.next?.();
      return [
        `state of ${name}`,
        {
          valid: [JSON.parse(JSON.stringify(used.state())), ...savedStates(name)],
          errors: [StateMismatch],
          read: (bytes) => {
            const value: unknown = JSON.parse(bytes.toString());
            // What reads a state file sees to it that it is an object.
            if (typeof value !== 'object' || value === null) throw new StateMismatch('no state');
            const restored = make();
            restored.restore(value as never);
            restored.state();
          },
        },
      ];
    }),
  ),
};

test.each(Object.entries(READERS))(
  '%s: changed and cut bytes are read or refused with the reason',
  async (_, reader) => {
    const valid = reader.valid.map((value) => Buffer.from(JSON.stringify(value)));
    for (const bytes of valid) expect(await fuzzing.isRead(fuzzed(reader), bytes)).toBe(true);
    await fuzzing.changed(fuzzed(reader), valid);
  },
);

test.each(Object.entries(READERS))('%s: any bytes at all are read or refused with the reason', async (_, reader) => {
  const json = fc.json().map((text) => Buffer.from(text));
  await fuzzing.drawn(fuzzed(reader), fc.oneof(fc.uint8Array({ maxLength: 512 }), json));
});

test.each(Object.entries(READERS))(
  '%s: any value in any place is read or refused with the reason',
  async (_, reader) => {
    let refused = 0;
    for (const value of reader.valid) {
      for (const place of placesIn(value)) {
        for (const hostile of HOSTILE) {
          const text = textWith(value, place, hostile);
          if (!(await fuzzing.isRead(fuzzed(reader), Buffer.from(text)))) refused += 1;
        }
      }
    }
    expect(refused).toBeGreaterThan(10);
  },
);

test.each(Object.entries(READERS))(
  '%s: what is long or deep is read or refused with the reason, and at once',
  async (_, reader) => {
    const [value] = reader.valid;
    // One of few: each takes long to be parsed.
    for (const place of placesIn(value ?? null).filter((_place, index) => index % 8 === 0)) {
      for (const hostile of LARGE)
        await fuzzing.isRead(fuzzed(reader), Buffer.from(textWith(value ?? null, place, hostile)));
    }
  },
);

/** JSON that is not what it should be. */
const HOSTILE = [
  'null',
  'true',
  '0',
  '-1',
  '1.5',
  '-0',
  '9007199254740991',
  '9007199254740993',
  '1e308',
  '1e400',
  '"2"',
  '""',
  '"x"',
  '[]',
  '[null]',
  '{}',
  '{"version":2}',
  '{"__proto__":{"version":2,"fence":7}}',
  '{"constructor":null,"toString":1}',
  '"../../../etc/passwd"',
  String.raw`"\u0000"`,
  String.raw`"\ud800"`,
  '2,"version":9',
  '{"version":1e308}',
];

const LARGE = [
  `${'['.repeat(100_000)}${']'.repeat(100_000)}`,
  `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`,
  `[${'0,'.repeat(100_000)}0]`,
  `[${'{},'.repeat(30_000)}{}]`,
  `{${Array.from({ length: 30_000 }, (_, index) => `"${index}":null`).join(',')}}`,
  `"${'x'.repeat(1_000_000)}"`,
  '9'.repeat(100_000),
];

type Place = readonly (string | number)[];

/** All places in a value, itself the first. */
function placesIn(value: Json, at: Place = []): Place[] {
  if (typeof value !== 'object' || value === null) return [at];
  return [at, ...Object.entries(value).flatMap(([key, part]: [string, Json]) => placesIn(part, [...at, key]))];
}

const MARK = 'here the other value comes';

function textWith(value: Json, place: Place, text: string): string {
  if (place.length === 0) return text;
  const copy = structuredClone(value) as never;
  let inner: Record<string | number, unknown> = copy;
  for (const key of place.slice(0, -1)) inner = inner[key] as typeof inner;
  inner[place.at(-1) ?? ''] = MARK;
  return JSON.stringify(copy).replace(JSON.stringify(MARK), () => text);
}

function savedStates(name: string): Json[] {
  const { states: saved } = JSON.parse(
    readFileSync(new URL('fixtures/states-version-1.json', import.meta.url), 'utf8'),
  ) as { states: { kind: string; state: Json }[] };
  return saved
    .filter(({ kind }) => kind === name)
    .map(({ state }) => state)
    .slice(0, 1);
}

function fuzzed({ read, errors }: Reader): FuzzedReader {
  // No JSON at all is for whoever reads the file of a state.
  const kinds = errors[0] === StateMismatch ? [...errors, SyntaxError] : errors;
  return {
    read,
    mayRefuse: (error) => kinds.some((kind) => error instanceof kind) && error.message.length <= LONGEST_MESSAGE,
    mostBytes: SMALL_BYTES,
  };
}
