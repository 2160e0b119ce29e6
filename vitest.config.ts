import { chmodSync, mkdtempSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import ts from 'typescript';
import { defineConfig, type ViteUserConfig } from 'vitest/config';

const IN_MEMORY = '/dev/shm';
const LEAST_IN_MEMORY_BYTES = 4 * 2 ** 30;
keepFilesInMemory();

export default defineConfig({
  plugins: [standardDecorators()],
  // Workspace libs resolve to their TypeScript source. 'import', 'default' and 'module' must stay out of this list:
  // vitest hands it to Node as --conditions, which breaks require() of dual packages, and what is for bundlers only.
  ssr: { resolve: { conditions: ['@longrun/source', 'node'] } },
  test: {
    environment: 'node',
    // Most of what the longest suites do is to wait for processes of theirs.
    maxWorkers: '100%',
    // They bound a hang and judge nothing: whatever a test waits for may take long on a busy machine.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    teardownTimeout: 600_000,
    expect: { poll: { timeout: 240_000 } },
    // Files share what they import, which halves the CPU time of most suites. One that replaces a module, or asks what is loaded, is
    // called *.alone.test.ts.
    projects: [
      {
        extends: true,
        test: { name: 'shared', isolate: false, include: testFiles('*.test'), exclude: testFiles('*.alone.test') },
      },
      { extends: true, test: { name: 'alone', isolate: true, include: testFiles('*.alone.test') } },
    ],
    reporters: ['default', 'json', fileURLToPath(new URL('scripts/unhandled-errors.mjs', import.meta.url))],
    outputFile: { json: 'test-results/report.json' },
    coverage: { provider: 'v8', include: ['src/**/*.ts'], reporter: ['text-summary', 'html'] },
  },
});

/**
 * Has the tests, and what they start, put their files into memory where there is plenty, until they end: stores and records sync a disk so often
 * that most of the time would go into that. `TMPDIR` names another place.
 */
function keepFilesInMemory(): void {
  // Said by who runs them, or as this was read before for another of the projects.
  if (process.env.TMPDIR !== undefined || !isRoomInMemory()) return;
  const folder = mkdtempSync(`${IN_MEMORY}/longrun-`);
  // Other users' children of tests go through it.
  chmodSync(folder, 0o1777);
  process.env.TMPDIR = folder;
  process.once('exit', () => {
    try {
      rmSync(folder, { recursive: true, force: true });
    } catch {
      // Of a run that was stopped somebody may be writing still.
    }
  });
}

function isRoomInMemory(): boolean {
  if (process.platform !== 'linux') return false;
  const mount = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .find((line) => line.split(' ')[1] === IN_MEMORY);
  // Of a container it is small; and some run what they have written.
  if (mount === undefined || mount.includes('noexec')) return false;
  const { bavail, bsize } = statfsSync(IN_MEMORY);
  return bavail * bsize >= LEAST_IN_MEMORY_BYTES;
}

function testFiles(name: string): string[] {
  return [`src/**/${name}.ts`, `test/**/${name}.ts`, `lint/**/${name}.mjs`, `${name}.mjs`];
}

/** Vite's compiler lowers the legacy decorators of Nest but not the standard ones of bricks; TypeScript does. */
function standardDecorators(): NonNullable<ViteUserConfig['plugins']>[number] {
  return {
    name: 'standard-decorators',
    enforce: 'pre',
    transform(code, id) {
      if (!/\/(libs|examples)\/.*\.ts$/.test(id) || !/^\s*@\w+\(/m.test(code)) return null;
      const { outputText, sourceMapText } = ts.transpileModule(code, {
        fileName: id,
        compilerOptions: {
          target: ts.ScriptTarget.ES2023,
          module: ts.ModuleKind.ESNext,
          verbatimModuleSyntax: true,
          sourceMap: true,
        },
      });
      return { code: outputText.replace(/\/\/# sourceMappingURL=.*$/, ''), map: sourceMapText ?? null };
    },
  };
}
