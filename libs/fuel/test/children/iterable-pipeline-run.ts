import { run } from './iterable-pipeline.js';

const [text = '', log = '', steps = ''] = process.argv.slice(2);
const stream = await run(text, log, Number(steps));
// A batch that nobody hears of comes again.
await stream.next();
process.kill(process.pid, 'SIGKILL');
