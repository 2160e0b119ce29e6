import { mkdirSync } from 'node:fs';

/** Makes folders in a folder, one in the other, until their path is longer than a path can be, as a program may. */
export function makeDeepFolder(inside: string): void {
  const here = process.cwd();
  const name = 'deep'.repeat(50);
  process.chdir(inside);
  try {
    for (let bytes = 0; bytes <= PATH_MAX; bytes += name.length) {
      mkdirSync(name);
      process.chdir(name);
    }
  } finally {
    process.chdir(here);
  }
}

const PATH_MAX = 4_096;
