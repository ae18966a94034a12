import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkConfig } from '@endeks/domain/process'
import Type, { type Static } from 'typebox'

const Secrets = Type.Object(
  {
    admin: Type.String(),
    roles: Type.Record(Type.String(), Type.String()),
    gateways: Type.Record(Type.String(), Type.String()),
    /** seals the meters' keys; a data directory of an earlier version has none yet */
    meterKeys: Type.Optional(Type.String())
  },
  { additionalProperties: false }
)
export type Secrets = Required<Static<typeof Secrets>>

/** Writes a file that only its owner reads, whole or not at all. */
export function writePrivately(path: string, content: string): void {
  const half = `${path}.new`
  writeFileSync(half, content, { mode: 0o600 })
  renameSync(half, path)
}

/**
 * The passwords of the services, the gateways and the first user, and what seals the meters' keys: made once, kept in one file, never shown but for the last.
 *
 * @param given the administrator's password from the environment
 */
export function keepSecrets(
  directory: string,
  { roles, gateways, given }: { roles: readonly string[]; gateways: readonly string[]; given: string | undefined }
): Secrets {
  const path = join(directory, 'secrets.json')
  const known: Static<typeof Secrets> = existsSync(path)
    ? checkConfig(Secrets, JSON.parse(readFileSync(path, 'utf8')), path)
    : { admin: randomBytes(9).toString('base64url'), roles: {}, gateways: {} }
  const fill = (names: readonly string[], passwords: Readonly<Record<string, string>>): Record<string, string> => ({
    ...passwords,
    ...Object.fromEntries(
      names.filter((name) => passwords[name] === undefined).map((name) => [name, randomBytes(24).toString('base64url')])
    )
  })
  const secrets = {
    admin: given ?? known.admin,
    roles: fill(roles, known.roles),
    gateways: fill(gateways, known.gateways),
    meterKeys: known.meterKeys ?? randomBytes(24).toString('base64url')
  }
  writePrivately(path, `${JSON.stringify(secrets, undefined, 2)}\n`)
  return secrets
}
