import { type ReactNode, useId } from 'react';

/** A part of a page, with its heading. */
export function Card({
  title,
  aside,
  children,
}: {
  readonly title: string;
  /** Beside the heading. */
  readonly aside?: ReactNode;
  readonly children: ReactNode;
}): ReactNode {
  const id = useId();
  return (
    <section aria-labelledby={id} className="min-w-0">
      <div className="mb-3 flex flex-wrap items-baseline justify-between gap-3">
        <h2 id={id} className="text-lg font-semibold tracking-tight">
          {title}
        </h2>
        {aside}
      </div>
      {children}
    </section>
  );
}

interface Column {
  readonly title: string;
  readonly isNumber?: boolean;
}

function side({ isNumber = false }: Column): string {
  return isNumber ? 'text-right tabular-nums' : 'text-left';
}

/** A table as wide as its card, which scrolls where it is wider. */
export function Table({
  columns,
  rows,
}: {
  /** Titles; those of numbers end at the right. */
  readonly columns: readonly Column[];
  readonly rows: readonly { readonly key: string; readonly cells: readonly ReactNode[] }[];
}): ReactNode {
  return (
    <div className="overflow-x-auto rounded-xl border border-line bg-card shadow-sm">
      <table className="w-full text-sm">
        <thead>
          <tr className="border-b border-line text-xs text-soft">
            {columns.map((column) => (
              <th key={column.title} scope="col" className={`px-4 py-2 font-medium whitespace-nowrap ${side(column)}`}>
                {column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="divide-y divide-line">
          {rows.map(({ key, cells }) => (
            <tr key={key}>
              {columns.map((column, index) => (
                <td key={column.title} className={`px-4 py-2 align-top ${side(column)}`}>
                  {cells[index]}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
