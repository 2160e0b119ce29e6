import { ApiProblem } from '@longrun/client';
import { type ReactNode, useEffect } from 'react';

import { isUnauthenticated } from './api.js';
import { failureText } from './failure-text.js';
import { Header } from './header.js';
import { liveness } from './liveness.js';
import type { Now } from './use-now.js';

/** How one leaves a page. */
export interface Leaving {
  /** Somebody wants to sign out. */
  readonly onSignOut: () => void;
  /** The API knows nobody here. */
  readonly onUnknown: () => void;
}

/** What all pages have around them: whether what they show is live, and why not. */
export function PageFrame({
  now,
  answeredAt,
  error,
  onSignOut,
  onUnknown,
  children,
}: Leaving & {
  readonly now: Now;
  /** When what is shown was answered, the oldest part of it, by the steady clock; undefined before. */
  readonly answeredAt: number | undefined;
  /** Of the last request; null where it was answered. */
  readonly error: Error | null;
  readonly children: ReactNode;
}): ReactNode {
  const isUnknown = isUnauthenticated(error);
  useEffect(() => {
    if (isUnknown) onUnknown();
  }, [isUnknown, onUnknown]);
  const live = liveness(answeredAt, error !== null, now.steady);
  return (
    <>
      <Header liveness={live} date={now.date} onSignOut={onSignOut} />
      <main className="mx-auto max-w-7xl px-4 pt-6 pb-12 sm:px-6">
        {(error !== null || live.state === 'silent') && !isUnknown && (
          <p
            role="alert"
            className="mb-5 rounded-xl border border-amber-300 bg-amber-50 px-4 py-3 text-sm text-amber-900 dark:border-amber-400/30 dark:bg-amber-400/10 dark:text-amber-200"
          >
            {failureText(error)}
            {!(error instanceof ApiProblem) && ' What is shown may be old; this page goes on trying.'}
          </p>
        )}
        {children}
      </main>
    </>
  );
}

/** An answer with when it came, by the clock of `useNow` that is never set. */
export async function answered<T extends object>(answer: Promise<T>): Promise<T & { readonly answeredAt: number }> {
  return { ...(await answer), answeredAt: performance.now() };
}

/** In the place of what is not there yet. */
export function Waiting({ failed }: { readonly failed: boolean }): ReactNode {
  if (failed) return <p className="px-5 py-10 text-center text-sm text-soft">Nothing has been loaded yet.</p>;
  return (
    <div role="status" className="space-y-3 px-5 py-6">
      <span className="sr-only">Loading</span>
      <div className="h-4 w-2/5 animate-pulse rounded bg-track" />
      <div className="h-4 w-3/5 animate-pulse rounded bg-track" />
    </div>
  );
}
