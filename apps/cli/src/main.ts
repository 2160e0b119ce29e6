import { hideEnvironment, keepFilesPrivate } from '@longrun/platform/configuration';

import { processTerminal } from './output/terminal.js';
import { run } from './program.js';

// What a local stack is told is not for the trainers that it starts.
hideEnvironment();
// A reader that has seen enough (`longrun ls | head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});
keepFilesPrivate();
process.exitCode = await run(process.argv.slice(2), { terminal: processTerminal(), environment: process.env });
