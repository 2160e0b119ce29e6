import { writeFile } from 'node:fs/promises';
import { describeRoutes } from './document.js';

/** `node dist/openapi/write-document.js FILE`: writes the OpenAPI description. */
const [path] = process.argv.slice(2);
if (path === undefined) throw new Error('Give the file to write');
await writeFile(path, `${JSON.stringify(await describeRoutes(), null, 2)}\n`);
