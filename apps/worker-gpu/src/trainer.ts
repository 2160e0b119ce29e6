import { TrainerCommand } from '@longrun/contracts';
import { ParentLink } from '@longrun/platform/child';
import { Training } from './trainer/training.js';
import { warmUp } from './trainer/warm-up.js';

/** How long nobody wants anything before it gets ready, in ms. */
const IDLE_MS = 1_000;

/** The trainer process: trains one experiment as its worker says, and knows of nothing else. */
const parent = new ParentLink((message) => {
  clearTimeout(warmingUp);
  training.obey(TrainerCommand.parse(message));
});
const training = new Training(parent);
// One that gets its assignment at once loads what that needs. What fails here fails again where somebody needs it, and is said then.
const warmingUp = setTimeout(() => void warmUp().catch(() => {}), IDLE_MS);
process.on('uncaughtException', (error) => training.fail(error));
