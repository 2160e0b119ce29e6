import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Workspace libs resolve to their TypeScript source. 'import' and 'default' must stay out of this list:
  // vitest hands it to Node as --conditions, which breaks require() of dual packages.
  ssr: { resolve: { conditions: ['@longrun/source', 'node', 'module'] } },
  test: {
    environment: 'node',
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    reporters: ['default', 'json'],
    outputFile: { json: 'test-results/report.json' },
    coverage: { provider: 'v8', include: ['src/**/*.ts'], reporter: ['text-summary', 'html'] },
  },
});
