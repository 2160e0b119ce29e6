import { config, type BlocksConfiguration, type LogBackendName } from '../configuration/config.js';
import { SQLiteLog } from './sqlite-log.js';
import type { TrainingLogBase } from './training-log-base.js';
import { TrainingLog } from './training-log.js';

/** How a log is made, by name, as the configuration says (Blocks: `BACKENDS`). Default: the configuration of this process. */
export const logBackends: { readonly [N in LogBackendName]: (from?: BlocksConfiguration) => TrainingLogBase } = {
  python: () => new TrainingLog(),
  sqlite: ({ sqliteDatabase: database, maxBlobSize } = config) => new SQLiteLog({ database, maxBlobSize }),
};
