// Makes the empty record that new state folders are copied from. Run by the build, when what is in this folder has changed.
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { builtTemplate } from './pglite-folder.js';
import { openRecord } from './record.js';

const draft = `${builtTemplate}.new`;
for (const folder of [draft, builtTemplate]) await rm(folder, { recursive: true, force: true });
const record = await openRecord({ folder: draft });
await record.close();
await rename(join(draft, 'pgdata'), builtTemplate);
await rm(draft, { recursive: true });
