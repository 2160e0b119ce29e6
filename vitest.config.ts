import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

import { defineConfig, type ViteUserConfig } from 'vitest/config';

/** Whether `npm run proofs` runs them, and not `npm test`. */
const isProof = process.env['LONGRUN_PROOFS'] === 'all';

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
    // called *.alone.test.ts. What would take longer than a check may with each run of the tests is called *.proof.test.ts.
    projects: [
      {
        extends: true,
        test: {
          name: 'shared',
          isolate: false,
          include: testFiles('*.test'),
          exclude: [...testFiles('*.alone.test'), ...(isProof ? [] : testFiles('*.proof.test'))],
        },
      },
      { extends: true, test: { name: 'alone', isolate: true, include: testFiles('*.alone.test') } },
    ],
    reporters: ['default', 'json', fileURLToPath(new URL('scripts/unhandled-errors.mjs', import.meta.url))],
    outputFile: { json: 'test-results/report.json' },
    coverage: { provider: 'v8', include: ['src/**/*.ts'], reporter: ['text-summary', 'html'] },
  },
});

/** Of the project that is the root, or, where the checkout is, of all projects that are built. */
function testFiles(name: string): string[] {
  const ofProjects = ['', 'apps/*/', 'libs/*/', 'examples/'];
  const written = ofProjects.flatMap((project) => [`${project}src/**/${name}.ts`, `${project}test/**/${name}.ts`]);
  return [...written, `lint/**/${name}.mjs`, `${name}.mjs`];
}

/** Where decorators need it: an import would look through all of its nine megabytes for what it exports, which takes seconds. */
function typescript(): typeof import('typescript') {
  return createRequire(import.meta.url)('typescript');
}

/** Vite's compiler lowers the legacy decorators of Nest but not the standard ones of bricks; TypeScript does. */
function standardDecorators(): NonNullable<ViteUserConfig['plugins']>[number] {
  return {
    name: 'standard-decorators',
    enforce: 'pre',
    transform(code, id) {
      if (!/\/(libs|examples)\/.*\.ts$/.test(id) || !/^\s*@\w+\(/m.test(code)) return null;
      const ts = typescript();
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
