import { LibraryVersions } from '@longrun/contracts';

/** The first line of a module: the versions of the packages `@longrun/*` that it was made against. */
export function headerOf(libraries: LibraryVersions): string {
  return `${BEGIN}${JSON.stringify(libraries)}${END}`;
}

/** What the first line of a module says; nothing where it is another one. Nothing of the module is run. */
export function librariesOf(module: Uint8Array): LibraryVersions {
  const text = Buffer.from(module.subarray(0, MOST_BYTES)).toString();
  const [line = ''] = text.split('\n');
  if (!line.startsWith(BEGIN) || !line.endsWith(END)) return {};
  try {
    return LibraryVersions.parse(JSON.parse(line.slice(BEGIN.length, -END.length)));
  } catch {
    return {};
  }
}

const BEGIN = '/* longrun program ';
const END = ' */';
/** Of a first line that is looked at. */
const MOST_BYTES = 4_096;
