import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

import type { Plugin } from 'esbuild';

import { BundleRefused } from './bundle-refused.js';

/** Finds packages with native code among what a program imports: it cannot be part of a module. */
export class NativePackages {
  readonly #found = new Set<string>();

  /** Takes files of native code for empty ones: they are refused when all are known. */
  readonly plugin: Plugin = {
    name: 'native-packages',
    setup: (build) => {
      build.onLoad({ filter: /\.node$/ }, ({ path }) => {
        this.#found.add(packageOf(path) ?? basename(path));
        return { contents: '', loader: 'js' };
      });
    },
  };

  /**
   * @param folder what the inputs are relative to
   * @throws BundleRefused which names the packages
   */
  check(path: string, folder: string, inputs: readonly string[]): void {
    for (const input of inputs) {
      const file = resolve(folder, input);
      const name = packageOf(file);
      const root =
        name === undefined
          ? undefined
          : file.slice(0, file.lastIndexOf(`node_modules/${name}`) + `node_modules/${name}`.length);
      if (name !== undefined && root !== undefined && SIGNS.some((sign) => existsSync(join(root, sign))))
        this.#found.add(name);
      // What loads native code by a name that it makes up at run time.
      if (name !== undefined && LOADERS.has(name)) this.#found.add(name);
    }
    if (this.#found.size === 0) return;
    const names = [...this.#found].toSorted().join(', ');
    throw new BundleRefused(
      `${path} imports native code (${names}), which cannot be part of a program; use a package of pure JavaScript, or what @longrun/tensor and @longrun/fuel have`,
    );
  }
}

const SIGNS = ['binding.gyp', 'prebuilds'];

const LOADERS = new Set(['bindings', 'node-gyp-build', '@mapbox/node-pre-gyp', 'prebuild-install', 'node-pre-gyp']);

/** The innermost package that a file is of. */
function packageOf(file: string): string | undefined {
  const parts = dirname(file).split('/');
  const at = parts.lastIndexOf('node_modules');
  const [name, below] = parts.slice(at + 1);
  if (at === -1 || name === undefined) return undefined;
  return name.startsWith('@') && below !== undefined ? `${name}/${below}` : name;
}
