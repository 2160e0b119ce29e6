// Draws the figures of examples/README.md from the tables that `npm run bench -- blocks` leaves: `node scripts/figures.mjs`.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, stateFolder } from './setup.mjs';

const error = { column: 'test_misclassification_rate', label: 'test error, %', scale: 100 };
const perplexity = { column: 'test_perplexity', label: 'test perplexity', scale: 1 };
const FIGURES = [
  {
    name: 'fashion-mnist',
    ...error,
    curves: { MLP: 'mlp', 'batch normalization': 'batch-normalization', LeNet: 'lenet' },
  },
  {
    name: 'markov-chain',
    column: 'test_transition_distance',
    label: 'distance',
    scale: 1,
    curves: { SimpleRecurrent: 'markov-chain' },
  },
  { name: 'parity', column: 'test_cost', label: 'test cost', scale: 1, curves: { LSTM: 'parity' } },
  {
    name: 'language-model',
    ...perplexity,
    curves: {
      LSTM: 'lstm',
      'LSTM, PyTorch': 'lstm-pytorch',
      transformer: 'transformer',
      'transformer, PyTorch': 'transformer-pytorch',
    },
  },
];
const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [640, 300, 60, 180, 16, 40];
const COLORS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7'];

const folder = join(root, 'examples', 'figures');
mkdirSync(folder, { recursive: true });
for (const figure of FIGURES) writeFileSync(join(folder, `${figure.name}.svg`), drawn(figure));

function drawn({ column, label, scale, curves }) {
  const lines = Object.entries(curves).map(([name, file]) => ({ name, points: pointsIn(file, column, scale) }));
  const all = lines.flatMap(({ points }) => points);
  const epochs = Math.max(...all.map(([epoch]) => epoch));
  const top = ceiling(Math.max(...all.map(([, value]) => value)));
  const bottom =
    Math.min(...all.map(([, value]) => value)) > top / 4 ? floor(Math.min(...all.map(([, value]) => value)), top) : 0;
  const x = (epoch) => LEFT + ((WIDTH - LEFT - RIGHT) * (epoch - 1)) / Math.max(1, epochs - 1);
  const y = (value) => HEIGHT - BOTTOM - ((HEIGHT - TOP - BOTTOM) * (value - bottom)) / (top - bottom);
  const ticks = Array.from({ length: 5 }, (_, at) => bottom + ((top - bottom) * at) / 4);
  const parts = [
    ...ticks.flatMap((value) => [
      `<line x1="${LEFT}" y1="${short(y(value))}" x2="${WIDTH - RIGHT}" y2="${short(y(value))}" stroke="#ddd"/>`,
      `<text x="${LEFT - 8}" y="${short(y(value) + 4)}" text-anchor="end">${Number(value.toPrecision(3))}</text>`,
    ]),
    ...Array.from(
      { length: epochs },
      (_, at) => `<text x="${short(x(at + 1))}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${at + 1}</text>`,
    ),
    `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 4}" text-anchor="middle">epoch</text>`,
    `<text transform="translate(14 ${(HEIGHT - BOTTOM + TOP) / 2}) rotate(-90)" text-anchor="middle">${label}</text>`,
    ...lines.flatMap(({ name, points }, at) =>
      curve(
        name,
        points.map(([epoch, value]) => [x(epoch), y(value)]),
        at,
      ),
    ),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12" fill="#444">
<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>
${parts.join('\n')}
</svg>
`;
}

/** A line, with its name in a legend; that of a peer is dashed. */
function curve(name, points, at) {
  const look = `stroke="${COLORS[at % COLORS.length]}" stroke-width="2"${name.includes('PyTorch') ? ' stroke-dasharray="6 4"' : ''}`;
  const height = TOP + 14 + 20 * at;
  return [
    `<polyline points="${points.map((point) => point.map(short).join(',')).join(' ')}" fill="none" ${look}/>`,
    `<line x1="${WIDTH - RIGHT + 12}" y1="${height - 4}" x2="${WIDTH - RIGHT + 36}" y2="${height - 4}" ${look}/>`,
    `<text x="${WIDTH - RIGHT + 42}" y="${height}">${name}</text>`,
  ];
}

/** Pairs of epoch and value. */
function pointsIn(file, column, scale) {
  const path = join(stateFolder, 'bench', 'programs', `${file}.csv`);
  const [head, ...rows] = readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(','));
  const at = head.indexOf(column);
  if (at < 0) throw new Error(`${path} has no column ${column}, only ${head.join(', ')}`);
  return rows.map((row) => [Number(row[0]), scale * Number(row[at])]);
}

/** The next number above of two digits. */
function ceiling(value) {
  const unit = 10 ** Math.floor(Math.log10(value)) / 2;
  return Math.ceil(value / unit) * unit;
}

function floor(value, top) {
  const unit = 10 ** Math.floor(Math.log10(top)) / 2;
  return Math.floor(value / unit) * unit;
}

function short(number) {
  return Number(number.toFixed(1));
}
