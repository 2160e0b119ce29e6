import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useEffect, useState } from 'react';

import { ExperimentsPage } from './experiments-page.js';
import { forgetToken, keepToken, takeToken } from './token.js';
import { TokenForm } from './token-form.js';

/** The whole page: the experiments, or the question for the token while there is none that the API accepts. */
export function App(): ReactNode {
  const [token, setToken] = useState(takeToken);
  const [refusal, setRefusal] = useState<string>();
  const queries = useQueryClient();

  useEffect(() => {
    const onHashChange = (): void => {
      setToken(takeToken());
      setRefusal(undefined);
    };
    window.addEventListener('hashchange', onHashChange);
    return () => window.removeEventListener('hashchange', onHashChange);
  }, []);

  const signOut = (reason?: string): void => {
    forgetToken();
    queries.clear();
    setToken(undefined);
    setRefusal(reason);
  };
  const signIn = (given: string): void => {
    keepToken(given);
    setToken(given.trim());
    setRefusal(undefined);
  };
  return token === undefined ? (
    <TokenForm refusal={refusal} onToken={signIn} />
  ) : (
    <ExperimentsPage key={token} token={token} onSignOut={signOut} />
  );
}
