import { lives } from './0001-lives.js';
import { fence } from './0002-fence.js';
import { logGap } from './0003-log-gap.js';
import { series } from './0004-series.js';
import type { Migration } from './migration.js';

/** All migrations, in the order in which they are applied. */
export const migrations: readonly Migration[] = [lives, fence, logGap, series];
