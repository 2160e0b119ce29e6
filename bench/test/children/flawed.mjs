// As worker.js, with a fault of resumption, by the name in FLAW, that the soak of kills must find.
import { runAttempt } from '../../dist/kills/attempt.js';
import { openExamples } from '../../dist/kills/examples.js';
import { Training } from '../../dist/kills/training.js';

/** Its checkpoints are one batch old. */
class StaleTraining extends Training {
  #before = super.files();

  async next() {
    this.#before = super.files();
    return await super.next();
  }

  files() {
    return this.#before;
  }
}

/** The first example after it was resumed is in no log. */
class ForgetfulTraining extends Training {
  #isResumed = false;

  restore(files) {
    super.restore(files);
    this.#isResumed = true;
  }

  async next() {
    const rows = await super.next();
    if (!this.#isResumed) return rows;
    this.#isResumed = false;
    return rows?.slice(1);
  }
}

/** Its random numbers start anew as it is resumed. */
class UnseededTraining extends Training {
  restore(files) {
    const state = Buffer.from(files.get('state.json')).toString();
    const reset = state.replace(/"drawn":\d+/, '"drawn":0');
    super.restore(new Map([...files, ['state.json', Buffer.from(reset)]]));
  }
}

const FLAWED = { stale: StaleTraining, forgetful: ForgetfulTraining, unseeded: UnseededTraining };
const Flawed = FLAWED[process.env.FLAW];
await runAttempt(async (dataset, seed) => new Flawed(await openExamples(dataset, seed)));
