// Makes the empty record that new state folders are copied from. Run by the build, when what is in this folder has changed.
import { chmod, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { sql } from 'kysely';

import { builtTemplate, makeTemplate } from './pglite-folder.js';
import { openRecord } from './record.js';

const draft = `${builtTemplate}.new`;
for (const folder of [draft, builtTemplate]) await rm(folder, { recursive: true, force: true });
const record = await openRecord({ folder: draft });
// What PostgreSQL makes further databases of: nobody makes one here, and their six hundred files are most of what a copy costs.
await sql`update pg_database set datistemplate = false`.execute(record.db);
for (const name of ['template0', 'template1']) await sql`drop database ${sql.id(name)}`.execute(record.db);
await record.close();
const template = join(draft, 'template');
makeTemplate(join(draft, 'pgdata'), template);
// A copy is its user's alone; others than who builds may run what was built. Nothing in it is secret.
for (const entry of await readdir(template, { recursive: true, withFileTypes: true }))
  await chmod(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o755 : 0o644);
await chmod(template, 0o755);
await rename(template, builtTemplate);
await rm(draft, { recursive: true });
