import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');

/** By rule: modules that it refuses, with the number of times, and modules that it leaves alone. */
const rules = {
  'dialect(hash-private)': {
    refused: [
      ['class Lease { private fence = 1; }', 1],
      ['class Lease { private static readonly count = 0; }', 1],
      ['class Lease { private renew(): void {} }', 1],
      ['class Lease { private get age() { return 0; } private set age(age) {} }', 2],
      ['class Lease { private accessor age = 0; }', 1],
      ['const Lease = class { private fence = 1; };', 1],
      ['class Lease { private fence?: number; private readonly age?: number; }', 2],
    ],
    allowed: [
      'class Lease { readonly #fence = 1; static #count = 0; #renew() {} get #age() { return 0; } }',
      'class Lease { private constructor() {} static take() { return new Lease(); } }',
      'abstract class Brick { protected readonly name = ""; public path = ""; protected abstract allocate(): void; }',
    ],
  },
  'typescript(parameter-properties)': {
    refused: [
      ['class Lease { constructor(private readonly fence: number) {} }', 1],
      ['class Lease { constructor(readonly fence: number, protected path: string, public age = 0) {} }', 3],
    ],
    allowed: ['class Lease { readonly #fence: number; constructor(fence: number) { this.#fence = fence; } }'],
  },
  'dialect(upper-case-constants)': {
    refused: [
      ['export const maxFaults = 50;', 1],
      ['const aName = -1;', 1],
      ['const aName = 2n;', 1],
      ['const aName = "mlp";', 1],
      ['const aName = "mlp" as const;', 1],
      ['const aName = 1 satisfies number;', 1],
      ['const aName: boolean = true;', 1],
      ['const aName = /^exp_/;', 1],
      ['const aName = `text`;', 1],
      ['const aName = ~(64 * (2 ** 20));', 1],
      ['const DAY_MS = 86_400_000; const aName = 2 * DAY_MS; const another = DAY_MS;', 2],
      ['const aName = Number.MAX_SAFE_INTEGER;', 1],
      ['const aName = Math.PI / 2;', 1],
      ['const aName = Symbol("end");', 1],
      ['const aName = Symbol.for("end");', 1],
      ['const one = 1, TWO = 2, Three_3 = 3;', 2],
    ],
    allowed: [
      'const MAX_FAULTS = 50; export const DAY_MS = 24 * 3_600_000; const H5_MAGIC = "HDF";',
      'function wait() { const pauseMs = 100; return pauseMs; }',
      'let attempts = 0;',
      'for (const name of []) { const count = 1; }',
      'const double = (n: number) => 2 * n; const defaults = { pauseMs: 1 }; const splits = ["train"] as const;',
      'const id = `exp_${"a".repeat(32)}`; const text = `${id}`;',
      'const { length } = "abc"; const started = Date.now(); const next = started + 1; const nothing = null;',
      'const Spec = z.string(); const WEIGHT = new Role("weight"); const end = ends.LAST;',
      'declare const version: string;',
    ],
  },
  'eslint(no-plusplus)': {
    refused: [
      ['let i = 0; i++; --i;', 2],
      ['for (let i = 0; i < 3; i++) {}', 1],
    ],
    allowed: ['for (let i = 0; i < 3; i += 1) {}'],
  },
  'typescript(consistent-type-imports)': {
    refused: [
      ['import { Role } from "./roles.js"; export let role: Role;', 1],
      ['import { Role, WEIGHT } from "./roles.js"; export let role: Role = WEIGHT;', 1],
    ],
    allowed: ['import { type Role, WEIGHT } from "./roles.js"; export let role: Role = WEIGHT;'],
  },
  'typescript(no-import-type-side-effects)': {
    refused: [['import { type Role, type Brick } from "./roles.js"; export type Both = Role | Brick;', 1]],
    allowed: ['import type { Role, Brick } from "./roles.js"; export type Both = Role | Brick;'],
  },
  'import(no-duplicates)': {
    refused: [
      [
        'import { WEIGHT } from "./roles.js"; import type { Role } from "./roles.js"; export const role: Role = WEIGHT;',
        1,
      ],
      [
        'import { WEIGHT } from "./roles.js"; import { BIAS } from "./roles.js"; export const both = [WEIGHT, BIAS];',
        1,
      ],
    ],
    allowed: [
      'import * as fc from "fast-check"; import { WEIGHT } from "./roles.js"; export const both = [fc, WEIGHT];',
    ],
  },
  'dialect(type-exports)': {
    refused: [
      ['export { type Role, type Brick } from "./roles.js";', 1],
      ['type Role = string; export { type Role };', 1],
    ],
    allowed: [
      'export type { Role, Brick } from "./roles.js";',
      'export { WEIGHT, type Role } from "./roles.js";',
      'export {};',
      'export type Role = string;',
      'export * from "./roles.js";',
    ],
  },
};

const cases = Object.entries(rules).flatMap(([rule, { refused, allowed }], at) => [
  ...refused.map(([code, times], i) => ({ rule, does: 'refuses', code, times, file: `${at}-refused-${i}.ts` })),
  ...allowed.map((code, i) => ({ rule, does: 'allows', code, times: 0, file: `${at}-allowed-${i}.ts` })),
]);

describe('the configuration of the repository', () => {
  let folder;
  let lines;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'dialect-'));
    for (const { file, code } of cases) writeFileSync(join(folder, file), `${code}\n`);
    const oxlint = join(root, 'node_modules', 'oxlint', 'bin', 'oxlint');
    const options = ['-c', join(root, '.oxlintrc.json'), '--format', 'unix'];
    const { stdout } = spawnSync(process.execPath, [oxlint, ...options, '.'], { cwd: folder, encoding: 'utf8' });
    lines = stdout.split('\n');
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.each(cases)('$rule $does: $code', ({ rule, file, times }) => {
    const found = lines.filter((line) => line.startsWith(`${file}:`) && line.endsWith(`[Error/${rule}]`));
    expect(found).toHaveLength(times);
  });

  test('says what the name should be', () => {
    const words = lines.map((line) => line.replace(/^.*?: | \[Error.*$/g, ''));
    expect(words).toContain("'maxFaults' is a constant of the module; name it 'MAX_FAULTS'");
    expect(words).toContain("'fence' is private by keyword, which holds for the compiler only; name it '#fence'");
  });
});
