import { type MouseEvent, type ReactNode, useSyncExternalStore } from 'react';

/** The path of the address, as it changes. */
export function usePath(): string {
  return useSyncExternalStore(onChange, () => location.pathname);
}

/** Goes to another page of the dashboard. */
function navigate(path: string): void {
  history.pushState(null, '', path);
  dispatchEvent(new PopStateEvent('popstate'));
  scrollTo(0, 0);
}

function onChange(listener: () => void): () => void {
  addEventListener('popstate', listener);
  return () => removeEventListener('popstate', listener);
}

/** A link to a page of the dashboard: an address like any other, which is shown without loading everything anew. */
export function PageLink({
  to,
  className,
  children,
}: {
  readonly to: string;
  readonly className?: string;
  readonly children: ReactNode;
}): ReactNode {
  const onClick = (event: MouseEvent): void => {
    // Whoever wants another tab or window gets it.
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    navigate(to);
  };
  return (
    <a href={to} onClick={onClick} className={className}>
      {children}
    </a>
  );
}

/** Where a run is shown. */
export function runPath(id: string): string {
  return `/experiments/${id}`;
}

/** The id of the run that a path shows; undefined for another page. */
export function runOf(path: string): string | undefined {
  return /^\/experiments\/([^/]+)\/?$/.exec(path)?.[1];
}
