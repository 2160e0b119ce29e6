import { memoryOfWriting } from './writing.js';

/** A process of its own, whose memory nothing else has used: prints the MB. */
const [, , folder = '', bytes = ''] = process.argv;
console.log(await memoryOfWriting(folder, Number(bytes)));
