import './index.css';

import { isPassing } from '@longrun/client';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { App } from './app.js';
import { REFRESH_MS } from './liveness.js';

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      refetchInterval: REFRESH_MS,
      // The API may well be on this machine: without a network it is asked all the same.
      networkMode: 'always',
      // A refusal will not change by asking again; a lost connection may.
      retry: (failures, error) => isPassing(error) && failures < 2,
      retryDelay: 500,
    },
  },
});

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no element with the id `root`');
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <App />
    </QueryClientProvider>
  </StrictMode>,
);
