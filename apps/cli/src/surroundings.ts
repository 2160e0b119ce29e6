import type { Readable } from 'node:stream';

import type { Environment } from '@longrun/platform/configuration';

import type { Terminal } from './output/terminal.js';

/** What a command line runs in. */
export interface Surroundings {
  readonly terminal: Terminal;
  readonly environment: Environment;
  /** Its stdin. */
  readonly input: Readable & { readonly isTTY?: boolean };
}
