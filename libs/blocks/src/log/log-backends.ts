import { config, LOG_BACKEND_NAMES, type BlocksConfiguration, type LogBackendName } from '../configuration/config.js';
import { SQLiteLog } from './sqlite-log.js';
import type { TrainingLogBase } from './training-log-base.js';
import { TrainingLog } from './training-log.js';

/** How a log is made, by name, as the configuration says (Blocks: `BACKENDS`). Default: the configuration of this process. */
export const logBackends: { readonly [N in LogBackendName]: (from?: BlocksConfiguration) => TrainingLogBase } = {
  python: () => new TrainingLog(),
  sqlite: ({ sqliteDatabase: database, maxBlobSize } = config) => new SQLiteLog({ database, maxBlobSize }),
};

/** A log of the kind of that name. @throws Error where there is none */
export function newLog(name: LogBackendName): TrainingLogBase {
  if (LOG_BACKEND_NAMES.includes(name)) return logBackends[name]();
  throw new Error(`MainLoop: there is no logBackend ${name}; give one of ${LOG_BACKEND_NAMES.join(', ')}`);
}
