import { TrainerCommand } from '@longrun/contracts';
import { ParentLink } from '@longrun/platform/child';
import { Training } from './trainer/training.js';
import { warmUp } from './trainer/warm-up.js';

/** How long nobody wants anything before it gets ready, in ms. */
const IDLE_MS = 3_000;

/** The trainer process: trains one experiment as its worker says, and knows of nothing else. */
const parent = new ParentLink((message) => {
  clearTimeout(gettingReady);
  isWanted = true;
  training.obey(TrainerCommand.parse(message));
});
let isWanted = false;
const training = new Training(parent);
// One that gets its assignment at once loads what that needs. What a module failed with stays its answer for as long as the process
// lives, whatever is mended meanwhile: one that could not get ready is none to wait for.
const gettingReady = setTimeout(() => {
  warmUp().catch(() => {
    if (!isWanted) process.exit(1);
  });
}, IDLE_MS);
process.on('uncaughtException', (error) => training.fail(error));
