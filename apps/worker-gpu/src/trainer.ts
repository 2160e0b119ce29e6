import { TrainerCommand } from '@longrun/contracts';
import { ParentLink } from '@longrun/platform/child';
import { Training } from './trainer/training.js';

/** The trainer process: trains one experiment as its worker says, and knows of nothing else. */
const parent = new ParentLink((message) => training.obey(TrainerCommand.parse(message)));
const training = new Training(parent);
process.on('uncaughtException', (error) => training.fail(error));
