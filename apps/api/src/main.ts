import { hideEnvironment, keepFilesPrivate } from '@longrun/platform/configuration';
import { logLine } from '@longrun/platform/log-line';
import { sayStage } from '@longrun/platform/stages';

// Before anything is started, and before anything that takes time to load.
hideEnvironment();
keepFilesPrivate();
sayStage('loading code');

// Installed before anything starts, and never removed: a signal during the start waits for it, and a second one must not cut
// short what the first one began.
const stop = new Promise<NodeJS.Signals>((resolve) => {
  process.on('SIGTERM', resolve);
  process.on('SIGINT', resolve);
});

const { JsonLog } = await import('./json-log.js');
const logger = new JsonLog();

try {
  const { readConfiguration } = await import('./configuration.js');
  const { startApi } = await import('./start-api.js');
  const api = await startApi(readConfiguration(process.env), logger);
  console.log(`api listening at ${api.url}`);
  logger.log(`closing on ${await stop}`);
  await api.close();
  process.exit(0);
} catch (error) {
  // Most of what goes wrong at the start is for a person to mend, and says how; the log has the stack of the rest.
  const message = error instanceof Error ? error.message : String(error);
  logger.error(message, { stack: error instanceof Error ? error.stack : undefined });
  process.stderr.write(logLine(`api: ${message}`));
  process.exit(1);
}
