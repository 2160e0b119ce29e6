import { blocks } from './blocks/benchmark.js';
import { fuel } from './fuel/benchmark.js';
import { kills } from './kills/benchmark.js';
import { mlpStep } from './mlp-step/benchmark.js';
import { recovery } from './recovery/benchmark.js';
import { networks } from './networks/benchmark.js';
import { platform } from './platform/benchmark.js';
import { publish, type Report } from './report.js';
import { serialization } from './serialization/benchmark.js';
import { tensorSteps } from './tensor/benchmark.js';

const benchmarks: ReadonlyMap<string, (...counts: number[]) => Promise<Report>> = new Map([
  ['blocks', blocks],
  ['fuel', fuel],
  ['kills', kills],
  ['mlp-step', mlpStep],
  ['networks', networks],
  ['platform', platform],
  ['recovery', recovery],
  ['serialization', serialization],
  ['tensor', tensorSteps],
]);

const [name = '', ...counts] = process.argv.slice(2);
const benchmark = benchmarks.get(name);
if (benchmark === undefined) {
  console.error(`There is no benchmark '${name}'. Run: npm run bench -- ${[...benchmarks.keys()].join(' | ')}`);
  process.exit(2);
}
await publish(name, await benchmark(...counts.map(Number)));
