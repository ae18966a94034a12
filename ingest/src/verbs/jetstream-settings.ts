import { readFileSync } from 'node:fs'
import { AppError, asError } from '@endeks/domain/errors'
import Type, { type Static } from 'typebox'
import type { JetStreamOptions } from '../jetstream/options.js'

const server = '(nats|tls)://[^,/@\\s]+:\\d{1,5}'
const File = Type.String({ minLength: 1 })

/** Where the cluster is, and how ingest shows who it is. */
export const jetStreamSettings = {
  natsServers: Type.String({ pattern: `^${server}(,${server})*$` }),
  natsSeedFile: File,
  natsAuthorityFile: Type.Optional(File),
  natsReplicas: Type.Integer({ minimum: 1, maximum: 5, default: 3 }),
  natsStreamBytes: Type.Integer({ minimum: 16 * 1024 * 1024, maximum: Number.MAX_SAFE_INTEGER, default: 10 * 1024 ** 3 })
}

export const jetStreamNames = {
  natsServers: 'ENDEKS_NATS_SERVERS',
  natsSeedFile: 'ENDEKS_NATS_SEED_FILE',
  natsAuthorityFile: 'ENDEKS_NATS_CA_FILE',
  natsReplicas: 'ENDEKS_NATS_REPLICAS',
  natsStreamBytes: 'ENDEKS_NATS_STREAM_BYTES'
} as const

const Settings = Type.Object(jetStreamSettings)

/** @throws {AppError} CONFIG_INVALID for a file that can't be read */
export function jetStreamOptions(settings: Static<typeof Settings>): JetStreamOptions {
  const { natsServers, natsSeedFile, natsAuthorityFile, natsReplicas: replicas, natsStreamBytes: streamBytes } = settings
  return {
    servers: natsServers.split(','),
    seed: textOf(jetStreamNames.natsSeedFile, natsSeedFile).trim(),
    ...{ replicas, streamBytes },
    ...(natsAuthorityFile === undefined ? {} : { authority: textOf(jetStreamNames.natsAuthorityFile, natsAuthorityFile) })
  }
}

function textOf(name: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (thrown) {
    throw new AppError('CONFIG_INVALID', `${name}: ${path} can't be read: ${asError(thrown).message}`, { path }, thrown)
  }
}
