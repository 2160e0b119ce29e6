import { type FormEvent, type ReactNode, useState } from 'react';

import { Logo } from './logo.js';

/** Asks for the bearer token. */
export function TokenForm({
  refusal,
  onToken,
}: {
  readonly refusal: string | undefined;
  readonly onToken: (token: string) => void;
}): ReactNode {
  const [token, setToken] = useState('');
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (token.trim() !== '') onToken(token);
  };
  return (
    <main className="grid min-h-screen place-items-center p-4">
      <form onSubmit={submit} className="w-full max-w-md rounded-2xl border border-line bg-card p-6 shadow-sm sm:p-8">
        <Logo />
        <h1 className="mt-6 text-lg font-semibold">Open the dashboard</h1>
        <p className="mt-1 text-sm text-soft">
          Give the API’s token. <code className="font-mono text-ink">longrun up</code> says in which file it lies:{' '}
          <code className="font-mono text-ink">.longrun/token</code> by default.
        </p>
        <label htmlFor="token" className="mt-6 block text-sm font-medium">
          Token
        </label>
        <input
          id="token"
          name="token"
          type="password"
          autoComplete="off"
          spellCheck={false}
          required
          value={token}
          onChange={(event) => setToken(event.target.value)}
          aria-invalid={refusal !== undefined}
          aria-describedby={refusal === undefined ? undefined : 'refusal'}
          className="mt-1 w-full rounded-lg border border-line bg-page px-3 py-2 font-mono text-sm"
        />
        {refusal !== undefined && (
          <p id="refusal" role="alert" className="mt-2 text-sm text-red-700 dark:text-red-300">
            {refusal}
          </p>
        )}
        <button
          type="submit"
          className="mt-6 w-full cursor-pointer rounded-lg bg-teal-700 px-4 py-2 text-sm font-semibold text-white hover:bg-teal-800"
        >
          Open
        </button>
      </form>
    </main>
  );
}
