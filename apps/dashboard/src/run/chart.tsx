import 'uplot/dist/uPlot.min.css';

import { type ReactNode, useEffect, useMemo, useRef } from 'react';
import uPlot from 'uplot';

const HEIGHT = 180;

/** A curve over steps. Where a value is not finite it has a gap. Drag to look closer, click twice to see all again. */
export function Chart({
  name,
  steps,
  values,
}: {
  readonly name: string;
  /** Ascending, as many as values. */
  readonly steps: readonly number[];
  /** Null: not finite. */
  readonly values: readonly (number | null)[];
}): ReactNode {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const data = useMemo((): uPlot.AlignedData => [[...steps], [...values]], [steps, values]);
  const newest = useRef(data);
  newest.current = data;

  useEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    const made = (): uPlot => new uPlot(options(name, element), newest.current, element);
    plot.current = made();
    const resized = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height: HEIGHT }));
    resized.observe(element);
    // Its colours are drawn, not styled: those of the dark are others.
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const onScheme = (): void => {
      plot.current?.destroy();
      plot.current = made();
    };
    dark.addEventListener('change', onScheme);
    return () => {
      resized.disconnect();
      dark.removeEventListener('change', onScheme);
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, [name]);
  useEffect(() => {
    const { current } = plot;
    if (current === undefined) return;
    // Whoever looks closer goes on to, while it grows.
    const { min, max } = current.scales['x'] ?? {};
    const [all] = current.data;
    // Without points it has no ends.
    const isWhole = min == null || (min === all[0] && max === all.at(-1));
    current.setData(data, isWhole);
  }, [data]);
  return <div ref={place} role="img" aria-label={`${name} over steps`} className="w-full" style={{ height: HEIGHT }} />;
}

function options(name: string, element: HTMLElement): uPlot.Options {
  const style = getComputedStyle(element);
  const colour = (variable: string): string => style.getPropertyValue(variable).trim();
  const axis: uPlot.Axis = {
    stroke: colour('--soft'),
    font: `11px ${style.fontFamily}`,
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
  };
  return {
    width: element.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, points: { size: 6 } },
    scales: { x: { time: false } },
    axes: [
      { ...axis, size: 28 },
      { ...axis, size: 56 },
    ],
    series: [
      { label: 'step' },
      { label: name, stroke: colour('--accent'), width: 1.5, points: { show: false }, spanGaps: false },
    ],
    hooks: { setCursor: [(plot) => showValue(plot, element)] },
  };
}

/** Says above the curve what the pointer is at. */
function showValue(plot: uPlot, element: HTMLElement): void {
  const { idx } = plot.cursor;
  const [steps, values] = plot.data;
  const step = idx == null ? undefined : steps[idx];
  const value = idx == null ? undefined : values?.[idx];
  element.title = step === undefined ? '' : `step ${step}: ${value ?? 'not finite'}`;
}
