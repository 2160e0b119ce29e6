import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useCallback, useEffect, useState } from 'react';

import { api, isUnauthenticated } from './api.js';
import { ExperimentsPage } from './experiments-page.js';
import { failureText } from './failure-text.js';
import { runOf, usePath } from './navigation.js';
import { RunPage } from './run/run-page.js';
import { hasToken, takeToken } from './token.js';
import { TokenForm } from './token-form.js';

/** Whether this browser is signed in, as far as is known: what is shown finds out. */
type Session =
  | { readonly state: 'signed in' | 'signing in' }
  | { readonly state: 'signed out'; readonly refusal?: string };

/** The page of the address, or the question for the token while the API knows nobody here. */
export function App(): ReactNode {
  const path = usePath();
  const queries = useQueryClient();
  const [session, setSession] = useState<Session>({ state: hasToken() ? 'signing in' : 'signed in' });

  const enter = useCallback(async (token: string) => {
    setSession({ state: 'signing in' });
    try {
      await api.sessions.signIn(token.trim());
      setSession({ state: 'signed in' });
    } catch (error) {
      const refusal = isUnauthenticated(error)
        ? 'The API does not accept this token. It may belong to another state folder.'
        : failureText(error);
      setSession({ state: 'signed out', refusal });
    }
  }, []);
  useEffect(() => {
    const enterByAddress = (): void => {
      const token = takeToken();
      if (token !== undefined) void enter(token);
    };
    enterByAddress();
    window.addEventListener('hashchange', enterByAddress);
    return () => window.removeEventListener('hashchange', enterByAddress);
  }, [enter]);

  const onUnknown = useCallback(() => {
    queries.clear();
    setSession({ state: 'signed out' });
  }, [queries]);
  const onSignOut = useCallback(() => {
    // Nobody is signed in where the API does not answer, and the next answer says so.
    api.sessions.signOut().catch(() => undefined);
    onUnknown();
  }, [onUnknown]);

  if (session.state === 'signing in') return null;
  if (session.state === 'signed out') {
    return <TokenForm refusal={session.refusal} onToken={(token) => void enter(token)} />;
  }
  const frame = { onSignOut, onUnknown };
  const run = runOf(path);
  return run === undefined ? <ExperimentsPage {...frame} /> : <RunPage key={run} id={run} {...frame} />;
}
