import type { ReactNode } from 'react';

/** What to do while there is no experiment. */
export function EmptyState(): ReactNode {
  return (
    <div className="px-4 py-12 text-center sm:px-8">
      <h3 className="font-medium">No experiments yet</h3>
      <p className="mx-auto mt-1 max-w-md text-sm text-soft">
        Submit one from the checkout; it appears here at once and shows its progress while it trains.
      </p>
      <pre className="mx-auto mt-5 max-w-lg overflow-x-auto rounded-lg border border-line bg-page p-4 text-left font-mono text-xs leading-6">
        <span className="text-soft"># the dataset, converted once</span>
        {'\nnpm run longrun -- submit examples/fashion-mnist.yaml --follow\n'}
        <span className="text-soft"># the experiment</span>
        {'\nnpm run longrun -- submit examples/fashion-mlp.yaml --follow'}
      </pre>
    </div>
  );
}
