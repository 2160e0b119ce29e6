import type { ReactNode } from 'react';

import { type Liveness, livenessText } from './liveness.js';
import { Logo } from './logo.js';
import { PageLink } from './navigation.js';

const dots = {
  live: 'bg-emerald-500',
  connecting: 'bg-slate-400 animate-pulse',
  refused: 'bg-amber-500',
  silent: 'bg-amber-500',
} as const;

/** The top of the page: the name, whether it is live, and the way out. */
export function Header({
  liveness,
  date,
  onSignOut,
}: {
  readonly liveness: Liveness;
  /** The present moment, in milliseconds of the calendar. */
  readonly date: number;
  readonly onSignOut: () => void;
}): ReactNode {
  return (
    <header className="border-b border-line bg-card">
      <div className="mx-auto flex max-w-7xl items-center justify-between gap-4 px-4 py-3 sm:px-6">
        <h1>
          <PageLink to="/">
            <Logo />
          </PageLink>
        </h1>
        <div className="flex items-center gap-4 text-sm text-soft">
          <span role="status" className="flex items-center gap-2">
            <span className={`size-2 rounded-full ${dots[liveness.state]}`} aria-hidden="true" />
            {livenessText(liveness, date)}
          </span>
          <a href="/openapi.json" className="hidden rounded hover:text-ink sm:inline">
            API
          </a>
          <button type="button" onClick={onSignOut} className="cursor-pointer rounded hover:text-ink">
            Sign out
          </button>
        </div>
      </div>
    </header>
  );
}
