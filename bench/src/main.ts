import { mlpStep } from './mlp-step/benchmark.js';
import { recovery } from './recovery/benchmark.js';
import { platform } from './platform/benchmark.js';
import { publish, type Report } from './report.js';
import { serialization } from './serialization/benchmark.js';

const benchmarks: ReadonlyMap<string, (count?: number) => Promise<Report>> = new Map([
  ['mlp-step', mlpStep],
  ['platform', platform],
  ['recovery', recovery],
  ['serialization', serialization],
]);

const [name = '', count] = process.argv.slice(2);
const benchmark = benchmarks.get(name);
if (benchmark === undefined) {
  console.error(`There is no benchmark '${name}'. Run: npm run bench -- ${[...benchmarks.keys()].join(' | ')}`);
  process.exit(2);
}
await publish(name, await (count === undefined ? benchmark() : benchmark(Number(count))));
