import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '@endeks/domain/errors'
import pg from 'pg'
import { plainName } from '../pool/pool.js'
import { withClient } from './migrate.js'

/** The accounts that services sign in with; the migrations make them, without a password and without LOGIN. */
export const serviceRoles = ['endeks_ingest', 'endeks_rating', 'endeks_api', 'endeks_grafana'] as const
export type ServiceRole = (typeof serviceRoles)[number]

/** Every account that somebody may sign in with, and the variable that its password comes in: the services, and whoever enrols gateways. */
export const passwordVariables = {
  endeks_ingest: 'ENDEKS_INGEST_PASSWORD',
  endeks_rating: 'ENDEKS_RATING_PASSWORD',
  endeks_api: 'ENDEKS_API_PASSWORD',
  endeks_grafana: 'ENDEKS_GRAFANA_PASSWORD',
  endeks_enrolment: 'ENDEKS_ENROLMENT_PASSWORD'
} as const satisfies Readonly<Record<ServiceRole | 'endeks_enrolment', string>>
export type SignInRole = keyof typeof passwordVariables

const attempts = 20

/**
 * Lets the roles sign in with these passwords.
 *
 * Roles belong to the whole server: two databases of one server may do this at once, and PostgreSQL then says "tuple
 * concurrently updated" to one of them, which tries again. The server is sent SCRAM verifiers, so that no password can end
 * up in its log.
 *
 * @throws {AppError} VALIDATION for an empty password or one beyond printable ASCII, which SASLprep would have to normalise
 */
export async function setServicePasswords(adminUrl: string, passwords: Readonly<Partial<Record<SignInRole, string>>>): Promise<void> {
  const statements = Object.entries(passwords).map(
    ([role, password]) => `alter role ${plainName(role)} login password ${pg.escapeLiteral(scramVerifier(password))}`
  )
  await withClient(adminUrl, async (client) => {
    for (const statement of statements) await alterRole(client, statement)
  })
}

async function alterRole(client: pg.Client, statement: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await client.query(statement)
      return
    } catch (thrown) {
      const concurrent = thrown instanceof Error && thrown.message.startsWith('tuple concurrently updated')
      if (!concurrent || attempt >= attempts) throw thrown
      await sleep(Math.random() * 20)
    }
  }
}

/** @see RFC 5803 and RFC 7677: SCRAM-SHA-256 with 4096 rounds, as PostgreSQL stores it */
function scramVerifier(password: string): string {
  if (!/^[\x20-\x7e]{1,200}$/.test(password)) {
    throw new AppError('VALIDATION', 'a service password has 1 to 200 printable ASCII characters')
  }
  const rounds = 4096
  const salt = randomBytes(16)
  const salted = pbkdf2Sync(password, salt, rounds, 32, 'sha256')
  const keyOf = (text: string): Buffer => createHmac('sha256', salted).update(text).digest()
  const stored = createHash('sha256').update(keyOf('Client Key')).digest('base64')
  return `SCRAM-SHA-256$${rounds}:${salt.toString('base64')}$${stored}:${keyOf('Server Key').toString('base64')}`
}
