import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { defineConfig } from 'vite';

export default defineConfig({
  plugins: [react(), tailwindcss()],
  // In kB. One file for the whole dashboard: a lab opens it once, and its browser keeps it.
  build: { chunkSizeWarningLimit: 600 },
  // The page from Vite, everything else from the API that LONGRUN_URL names, or that runs on the state folder.
  server: {
    host: '127.0.0.1',
    proxy: { '/v1': process.env['LONGRUN_URL'] ?? runningApi() ?? 'http://127.0.0.1:4000' },
  },
});

/** Where the API of `npm run dev`, or of another `longrun up`, listens. */
function runningApi(): string | undefined {
  const state = process.env['LONGRUN_STATE'] ?? fileURLToPath(new URL('../../.longrun', import.meta.url));
  try {
    return JSON.parse(readFileSync(`${state}/api.json`, 'utf8')).url;
  } catch {
    return undefined;
  }
}
