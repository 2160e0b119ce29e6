import type { ReactNode } from 'react';

/** A bar for a share of 0 to 1; undefined: under way, nobody knows how far. */
export function ProgressBar({
  label,
  share,
  tone,
}: {
  readonly label: string;
  readonly share: number | undefined;
  readonly tone: 'active' | 'done' | 'stopped';
}): ReactNode {
  const fill = { active: 'bg-sky-500', done: 'bg-emerald-500', stopped: 'bg-slate-400' }[tone];
  const percent = share === undefined ? undefined : Math.round(Math.min(1, share) * 100);
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
      className="h-1.5 w-full overflow-hidden rounded-full bg-track"
    >
      <div
        className={`h-full rounded-full transition-[width] duration-700 ${fill} ${percent === undefined ? 'animate-pulse' : ''}`}
        style={{ width: `${percent ?? 100}%` }}
      />
    </div>
  );
}
