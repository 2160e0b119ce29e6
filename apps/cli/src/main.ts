import { hideEnvironment, keepFilesPrivate } from '@longrun/platform/configuration';

import { processTerminal } from './output/terminal.js';
import { run } from './program.js';

// What a local stack is told is not for the trainers that it starts.
hideEnvironment();
keepFilesPrivate();
process.exitCode = await run(process.argv.slice(2), {
  terminal: processTerminal(),
  environment: process.env,
  input: process.stdin,
});
