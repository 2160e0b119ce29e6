import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  plugins: [react(), tailwindcss()],
  // `npm run dev` in this room: the page from Vite, everything else from the API that LONGRUN_URL names.
  server: { host: '127.0.0.1', proxy: { '/v1': process.env['LONGRUN_URL'] ?? 'http://127.0.0.1:4000' } },
});
