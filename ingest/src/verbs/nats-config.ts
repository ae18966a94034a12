import { open, readFile, rename } from 'node:fs/promises'
import { createPool } from '@endeks/database/pool'
import { AppError, asError } from '@endeks/domain/errors'
import { loadConfig, systemClock } from '@endeks/domain/process'
import { nkeys } from '@nats-io/transport-node'
import Type from 'typebox'
import { natsAccounts } from '../jetstream/rights.js'
import { liveCertificates } from '../store/certificates.js'

const Config = Type.Object({ databaseUrl: Type.String({ pattern: '^postgres(ql)?://' }) }, { additionalProperties: false })
const ownerOnly = 0o600
const readable = 0o644

/**
 * Who may do what, for nats-server. Ingest's key is made when it is not there yet.
 *
 * @returns what is to be printed
 * @throws {AppError} CONFIG_INVALID, DATABASE_UNREACHABLE
 */
export async function natsConfig(
  environment: Readonly<Record<string, string | undefined>>,
  { key, out }: { readonly key?: string; readonly out?: string }
): Promise<string> {
  if (key === undefined) throw new AppError('CONFIG_INVALID', "--key FILE is missing: where ingest's key stands, or shall stand")
  const { databaseUrl } = loadConfig(Config, { databaseUrl: 'ENDEKS_DATABASE_URL' }, environment)
  const pool = createPool({ url: databaseUrl, role: 'endeks_ingest', max: 1, applicationName: 'endeks-nats-config' })
  const certificates = await liveCertificates(pool, systemClock.now())
    .catch((thrown: unknown) => {
      throw new AppError('DATABASE_UNREACHABLE', `the database can't be used: ${asError(thrown).message}`, {}, thrown)
    })
    .finally(() => pool.end())
  const config = natsAccounts(certificates, await publicKeyOf(key))
  if (out === undefined) return config
  const unfinished = `${out}.new`
  await write(unfinished, config, { mode: readable, overwrite: true })
  // In one step: a server that reloads meanwhile reads the old or the new, never a half.
  await rename(unfinished, out)
  return `${certificates.length} certificates in ${out}; tell the nodes with: nats-server --signal reload=PID\n`
}

async function publicKeyOf(path: string): Promise<string> {
  const seed = (await standing(path)) ?? (await makeSeed(path))
  try {
    return nkeys.fromSeed(new TextEncoder().encode(seed.trim())).getPublicKey()
  } catch (thrown) {
    throw new AppError('CONFIG_INVALID', `${path} holds no NKey seed: ${asError(thrown).message}`, { path }, thrown)
  }
}

async function standing(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return undefined
    throw new AppError('CONFIG_INVALID', `${path} can't be read: ${asError(thrown).message}`, { path }, thrown)
  }
}

async function makeSeed(path: string): Promise<string> {
  const seed = new TextDecoder().decode(nkeys.createUser().getSeed())
  await write(path, `${seed}\n`, { mode: ownerOnly, overwrite: false })
  return seed
}

async function write(
  path: string,
  content: string,
  { mode, overwrite }: { readonly mode: number; readonly overwrite: boolean }
): Promise<void> {
  try {
    const file = await open(path, overwrite ? 'w' : 'wx', mode)
    await file.writeFile(content)
    await file.sync()
    await file.close()
  } catch (thrown) {
    throw new AppError('CONFIG_INVALID', `${path} can't be written: ${asError(thrown).message}`, { path }, thrown)
  }
}
