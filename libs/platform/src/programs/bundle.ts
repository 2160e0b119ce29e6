import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { MAX_PROGRAM_BYTES, LibraryVersions } from '@longrun/contracts';
import type { Message, Plugin } from 'esbuild';
import { z } from 'zod';

import { BundleRefused } from './bundle-refused.js';
import { headerOf } from './header.js';
import { NativePackages } from './native-packages.js';

/** One ES module that has all of a program but `@longrun/*` and what Node has itself. Its first line says what it was made against. */
export interface ProgramBundle {
  readonly module: Uint8Array;
  readonly sha256: string;
  /** Which places of which files its lines are made of: a source map, version 3, with absolute paths. It is no part of the module. */
  readonly sourceMap: string;
}

/**
 * Makes one module of a program, with its own dependencies of pure JavaScript inside. The same sources give the same bytes. What a `tsconfig.json`
 * says has no part in it: decorators are those of the standard.
 *
 * @param path a file in TypeScript or JavaScript, or a folder with an `index.ts`, `.mts`, `.js` or `.mjs`
 * @throws BundleRefused
 */
export async function bundleProgram(path: string): Promise<ProgramBundle> {
  const entry = entryAt(resolve(path));
  // Nobody else needs it.
  const { build } = await import('esbuild');
  const used = new Set<string>();
  const native = new NativePackages();
  const result = await build({
    entryPoints: [entry],
    absWorkingDir: dirname(entry),
    outfile: 'program.mjs',
    bundle: true,
    write: false,
    sourcemap: 'external',
    sourcesContent: false,
    metafile: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    charset: 'utf8',
    // Bricks are called by the names of their classes.
    keepNames: true,
    legalComments: 'none',
    logLevel: 'silent',
    tsconfigRaw: { compilerOptions: { useDefineForClassFields: true, verbatimModuleSyntax: false } },
    // What was written for CommonJS asks for Node's modules so.
    banner: { js: REQUIRE },
    plugins: [librariesOutside(used), native.plugin, ownZod],
  }).catch((error: unknown) => {
    throw new BundleRefused(refusalOf(path, error), { cause: error });
  });
  native.check(path, dirname(entry), Object.keys(result.metafile.inputs));
  const [output, map] = ['.mjs', '.map'].map((end) => result.outputFiles.find(({ path: made }) => made.endsWith(end)));
  if (output === undefined || map === undefined) throw new Error(`esbuild made nothing of ${entry}`);
  const header = headerOf(versionsOf(used, dirname(entry)));
  const module = Buffer.concat([Buffer.from(`${header}\n`), output.contents]);
  if (module.byteLength > MAX_PROGRAM_BYTES) {
    throw new BundleRefused(
      `${path} becomes a module of ${module.byteLength} bytes, and one has ${MAX_PROGRAM_BYTES} at most; ` +
        'import less, and put what is data into a dataset',
    );
  }
  const sha256 = createHash('sha256').update(module).digest('hex');
  return { module, sha256, sourceMap: belowHeader(map.text, dirname(entry)) };
}

/** A source map of what begins at the second line, with absolute paths. */
function belowHeader(text: string, folder: string): string {
  const { sources, mappings, ...rest } = SourceMap.parse(JSON.parse(text));
  return JSON.stringify({ ...rest, sources: sources.map((path) => resolve(folder, path)), mappings: `;${mappings}` });
}

const SourceMap = z.looseObject({ sources: z.array(z.string()), mappings: z.string() });

function entryAt(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) throw new BundleRefused(`${path} is not there; give the file or the folder of a program`);
  if (!found.isDirectory()) return path;
  const entry = INDICES.map((name) => join(path, name)).find((file) => existsSync(file));
  if (entry !== undefined) return entry;
  throw new BundleRefused(
    `${path} has none of ${INDICES.join(', ')}; give the file of a program, or a folder with one of these`,
  );
}

const INDICES = ['index.ts', 'index.mts', 'index.js', 'index.mjs'];

/** `@longrun/*` is that of whoever imports the module: its classes are the same ones everywhere. */
function librariesOutside(used: Set<string>): Plugin {
  return {
    name: 'longrun-libraries',
    setup(build) {
      build.onResolve({ filter: /^@longrun\// }, ({ path }) => {
        const [scope, name] = path.split('/');
        used.add(`${scope}/${name}`);
        return { path, external: true };
      });
    },
  };
}

/** A program beside which no package is installed has zod from here: its parameters are described by it. */
const ownZod: Plugin = {
  name: 'own-zod',
  setup(build) {
    build.onResolve({ filter: /^zod(?:\/|$)/ }, async ({ path, kind, resolveDir, pluginData }) => {
      if (pluginData === ownZod) return undefined;
      const found = await build.resolve(path, { kind, resolveDir, pluginData: ownZod });
      return found.errors.length === 0
        ? found
        : await build.resolve(path, { kind, resolveDir: HERE, pluginData: ownZod });
    });
  },
};

const HERE = dirname(fileURLToPath(import.meta.url));

// In two parts: who bundles this file puts its own address in the place of each `import.meta.url`, and this one is the program's.
const REQUIRE = [
  "import { createRequire as __longrunCreateRequire } from 'node:module';",
  ['const require = __longrunCreateRequire(import.meta', 'url);'].join('.'),
].join('\n');

/** Those that are installed beside the program, else those of this installation. */
function versionsOf(libraries: ReadonlySet<string>, folder: string): LibraryVersions {
  const sorted = [...libraries].toSorted();
  const found = sorted.flatMap((name) => {
    const version = installedVersion(name, folder) ?? installedVersion(name, HERE);
    return version === undefined ? [] : [[name, version] as const];
  });
  return LibraryVersions.parse(Object.fromEntries(found));
}

function installedVersion(name: string, folder: string): string | undefined {
  const file = join(folder, 'node_modules', name, 'package.json');
  if (existsSync(file)) {
    const described: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return typeof described === 'object' && described !== null && 'version' in described
      ? String(described.version)
      : undefined;
  }
  const above = dirname(folder);
  return above === folder ? undefined : installedVersion(name, above);
}

function refusalOf(path: string, error: unknown): string {
  const errors: readonly Message[] =
    typeof error === 'object' && error !== null && 'errors' in error && Array.isArray(error.errors) ? error.errors : [];
  if (errors.length === 0)
    return `${path} cannot be bundled: ${error instanceof Error ? error.message : String(error)}`;
  const said = errors.slice(0, MOST_ERRORS).map(({ location, text, notes }) => {
    const where = location === null ? '' : `${location.file}:${location.line}:${location.column + 1}: `;
    const note = text.startsWith('Could not resolve') ? notes[0]?.text : undefined;
    return `${where}${text}${note === undefined ? '' : ` (${note})`}`;
  });
  const more = errors.length - said.length;
  return `${path} cannot be bundled: ${said.join('; ')}${more > 0 ? `; and ${more} more` : ''}`;
}

const MOST_ERRORS = 5;
