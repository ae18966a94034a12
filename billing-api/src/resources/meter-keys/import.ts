import { inTransaction, type PoolClient } from '@endeks/database/pool'
import { AppError } from '@endeks/domain/errors'
import { newSalt, type Sealer } from '@endeks/domain/process'
import {
  changeOf,
  type ImportedKeys,
  type KeyHistory,
  keyKinds,
  openSecrets,
  parseKeyFile,
  type Secrets,
  sealSecrets
} from '@endeks/gateway/codec'
import type { ApiContext } from '../../context.js'
import { neededVault } from '../../key-vault.js'
import { recordAudit } from '../../store/audit.js'
import type { KeyImport } from './schema.js'
import { addVersions, lockKeys, type NewVersion, type SealedRow, saltOf, useVersions, versionsOf } from './store.js'

const noHistory: KeyHistory = { current: 0, last: 0, versions: [] }

/**
 * Takes a maker's key file, all of it or nothing, and numbers versions as a gateway does.
 *
 * @throws {AppError} KEY_FILE_INVALID with every bad line, KEY_MISSING without a secret, KEYS_UNREADABLE where it is another one
 */
export async function importKeys(context: ApiContext, file: string, actor: string): Promise<KeyImport> {
  const vault = neededVault(context.vault)
  const keys = parseKeyFile(Buffer.from(file, 'utf8'))
  return inTransaction(context.pool, async (client) => {
    await lockKeys(client)
    const salt = (await saltOf(client)) ?? newSalt()
    const sealer = await vault.sealerFor(salt)
    const standing = await historiesOf(client, keys, (each) => vault.sealerFor(each))
    const changes = keys.map((each) => ({ ...each, change: changeOf(standing.get(each.name) ?? noHistory, each.secrets) }))
    const added = changes.flatMap(({ name, change }) => (change.kind === 'new' ? [{ name, ...change }] : []))
    const earlier = changes.flatMap(({ name, change }) => (change.kind === 'earlier' ? [{ name, version: change.version }] : []))
    if (added.length > 0)
      await addVersions(
        client,
        salt,
        added.map((each) => sealed(sealer, each))
      )
    if (earlier.length > 0) await useVersions(client, earlier)
    const counts = {
      added: added.filter(({ name }) => !standing.has(name)).length,
      changed: added.filter(({ name }) => standing.has(name)).length + earlier.length,
      unchanged: keys.length - added.length - earlier.length
    }
    if (counts.added + counts.changed > 0) {
      await recordAudit(client, { actor, action: 'meter-keys.imported', subjectType: 'meter-keys', subject: 'file', details: counts })
    }
    return counts
  })
}

function sealed(sealer: Sealer, { name, version, secrets }: { name: string; version: number; secrets: Secrets }): NewVersion {
  const texts = Object.entries(sealSecrets(sealer, { name, version }, secrets)).map(([kind, bytes]) => [
    kind,
    Buffer.from(bytes).toString('base64')
  ])
  return { name, version, ...Object.fromEntries(texts) }
}

async function historiesOf(
  client: PoolClient,
  keys: readonly ImportedKeys[],
  sealerFor: (salt: Buffer) => Promise<Sealer>
): Promise<Map<string, KeyHistory>> {
  const histories = new Map<string, KeyHistory>()
  const names = keys.map(({ name }) => name)
  for (const row of await versionsOf(client, names)) {
    const secrets = openRow(await sealerFor(row.salt), row)
    if (secrets === undefined) {
      throw new AppError(
        'KEYS_UNREADABLE',
        'the keys that are stored do not open: either ENDEKS_KEY_SECRET is another, or they were changed'
      )
    }
    const { name, version, in_use: inUse } = row
    const before = histories.get(name) ?? noHistory
    histories.set(name, {
      current: inUse ? version : before.current,
      last: Math.max(before.last, version),
      versions: [...before.versions, { version, secrets }]
    })
  }
  return histories
}

/** @returns undefined where it does not open */
export function openRow(sealer: Sealer, row: SealedRow): Secrets | undefined {
  const sealedSecrets: Secrets = {}
  for (const kind of keyKinds) {
    const bytes = row[kind]
    if (bytes !== null) sealedSecrets[kind] = bytes
  }
  return openSecrets(sealer, row, sealedSecrets)
}
