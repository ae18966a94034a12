import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Teardown } from '../../src/testing/index.js'

/** A folder with these files, gone when the test is over. */
export async function migrationFolder(t: Teardown, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'endeks-migrations-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
  return folder
}

export const oneTable = {
  '0001_create_thing.sql': 'create table thing (id bigint primary key, name text not null);',
  '0001.check.sql': `select 'thing is missing' where to_regclass('public.thing') is null;`
}
