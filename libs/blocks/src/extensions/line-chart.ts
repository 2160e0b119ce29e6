/** One figure: lines over the number of batches. */
export interface LineChart {
  readonly title: string;
  readonly lines: readonly Line[];
  readonly yAxis: 'linear' | 'log';
}

/** A line, and what it is called. Its points are (batches done, value), from left to right. */
export interface Line {
  readonly name: string;
  readonly points: readonly (readonly [number, number])[];
}

/** Figures below each other as an SVG document. Equal figures make equal text. */
export function svgOf(title: string, charts: readonly LineChart[]): string {
  const height = TOP + charts.length * CHART_HEIGHT;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" font-family="sans-serif" font-size="11">`,
    `<rect width="100%" height="100%" fill="white"/>`,
    `<text x="${LEFT}" y="20" font-size="15">${escaped(title)}</text>`,
    ...charts.flatMap((chart, at) => [
      `<g transform="translate(0,${TOP + at * CHART_HEIGHT})">`,
      ...elementsOf(chart),
      '</g>',
    ]),
    '</svg>',
    '',
  ].join('\n');
}

const [WIDTH, CHART_HEIGHT, TOP] = [640, 280, 30];
const [LEFT, RIGHT, ABOVE, BELOW] = [64, 16, 24, 36];
/** As Tableau has them, and the original's plots. */
const COLORS = [
  '#1f77b4',
  '#ff7f0e',
  '#2ca02c',
  '#d62728',
  '#9467bd',
  '#8c564b',
  '#e377c2',
  '#7f7f7f',
  '#bcbd22',
  '#17becf',
];

function elementsOf({ title, lines, yAxis }: LineChart): string[] {
  const shown = lines.map(({ name, points }) => ({
    name,
    points: points.filter(([, y]) => Number.isFinite(y) && (yAxis === 'linear' || y > 0)),
  }));
  const scale = yAxis === 'log' ? Math.log10 : (y: number): number => y;
  const x = axisOf(
    shown.flatMap(({ points }) => points.map(([step]) => step)),
    LEFT,
    WIDTH - RIGHT,
  );
  const y = axisOf(
    shown.flatMap(({ points }) => points.map(([, value]) => scale(value))),
    CHART_HEIGHT - BELOW,
    ABOVE,
  );
  const [bottom, right] = [CHART_HEIGHT - BELOW, WIDTH - RIGHT];
  return [
    `<text x="${LEFT}" y="14" font-weight="bold">${escaped(title)}</text>`,
    `<path d="M${LEFT} ${ABOVE}V${bottom}H${right}" fill="none" stroke="#444"/>`,
    ...x.ticks.map(
      (tick) => `<text x="${x.place(tick)}" y="${bottom + 15}" text-anchor="middle">${labelOf(tick)}</text>`,
    ),
    `<text x="${right}" y="${bottom + 30}" text-anchor="end">iterations</text>`,
    ...y.ticks.map((tick) => {
      const label = labelOf(yAxis === 'log' ? 10 ** tick : tick);
      return `<text x="${LEFT - 6}" y="${y.place(tick)}" dy="4" text-anchor="end">${label}</text>`;
    }),
    ...shown.flatMap(({ name, points }, at) => {
      const color = COLORS[at % COLORS.length];
      const path = points.map(([step, value]) => `${x.place(step)},${y.place(scale(value))}`).join(' ');
      return [
        `<polyline points="${path}" fill="none" stroke="${color}" stroke-width="1.5"/>`,
        `<text x="${right}" y="${ABOVE + 4 + 14 * at}" text-anchor="end" fill="${color}">${escaped(name)}</text>`,
      ];
    }),
  ];
}

/** Where values lie between two places, and which of them are written. */
function axisOf(values: readonly number[], from: number, to: number) {
  const low = values.reduce((least, value) => Math.min(least, value), Infinity);
  const high = values.reduce((most, value) => Math.max(most, value), -Infinity);
  const [start, size] = values.length === 0 ? [0, 1] : [low, high - low || 1];
  return {
    place: (value: number): string => (from + ((value - start) / size) * (to - from)).toFixed(1),
    ticks: [0, 0.25, 0.5, 0.75, 1].map((part) => start + part * size),
  };
}

function labelOf(value: number): string {
  return String(Number(value.toPrecision(3)));
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
