import type { ReactNode } from 'react';

/** The mark and the name. */
export function Logo(): ReactNode {
  return (
    <span className="flex items-center gap-2.5">
      <img src="/longrun.svg" alt="" className="size-7" />
      <span className="text-lg font-semibold tracking-tight">Longrun</span>
    </span>
  );
}
