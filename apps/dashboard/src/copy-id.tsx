import { type ReactNode, useEffect, useState } from 'react';

/** An id, shortened to its end, which differs most; pressing it copies the whole. */
export function CopyId({ id }: { readonly id: string }): ReactNode {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return undefined;
    const timer = setTimeout(() => setCopied(false), 1_500);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = (): void => {
    navigator.clipboard.writeText(id).then(
      () => setCopied(true),
      () => setCopied(false),
    );
  };
  const prefix = id.slice(0, id.indexOf('_') + 1);
  return (
    <button
      type="button"
      onClick={copy}
      title={`Copy ${id}`}
      className="-mx-1 cursor-pointer rounded px-1 font-mono text-xs text-soft hover:bg-track hover:text-ink"
    >
      <span className="sr-only">Copy the id </span>
      {copied ? 'copied' : `${prefix}…${id.slice(-8)}`}
    </button>
  );
}
