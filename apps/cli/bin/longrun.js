#!/usr/bin/env node
import { existsSync } from 'node:fs';

const main = new URL('../dist/bundle/main.js', import.meta.url);
if (!existsSync(main)) {
  console.error('longrun: this checkout is not built yet; run `npm run setup` (or `npm ci && npm run build`) first.');
  process.exit(1);
}
await import(main.href);
