import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { stateFolder } from './report.js';

/** A Python that has all these modules: that in LONGRUN_BENCH_PYTHON, of the virtual environment of the benchmarks, or `python3`; undefined where none has. */
export function pythonWith(modules: readonly string[]): string | undefined {
  const candidates = [process.env['LONGRUN_BENCH_PYTHON'], join(stateFolder, 'bench-venv/bin/python'), 'python3'];
  return candidates.find(
    (candidate) => candidate !== undefined && spawnSync(candidate, ['-c', `import ${modules.join(', ')}`]).status === 0,
  );
}

/** What to do where there is none. */
export function pythonRemedy(packages: readonly string[]): string {
  return (
    `python3 -m venv '${stateFolder}/bench-venv' && '${stateFolder}/bench-venv/bin/pip' install ${packages.join(' ')}, ` +
    'or name one in LONGRUN_BENCH_PYTHON'
  );
}
