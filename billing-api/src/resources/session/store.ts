import { createHash, randomBytes } from 'node:crypto'
import { type Clock, epochMs, toIso } from '@endeks/domain/time'
import { sql } from 'kysely'
import type { Role } from '../../rights.js'
import { type Database, execute, first } from '../../store/query.js'

export interface StaffUser {
  readonly id: bigint
  readonly login: string
  readonly name: string
  readonly role: Role
}

export interface Credentials extends StaffUser {
  readonly passwordHash: string
}

interface UserRow {
  readonly id: bigint
  readonly login: string
  readonly name: string
  readonly role: Role
  readonly password_hash: string
}

export const sessionHours = 12

/** Logins are kept in small letters of ASCII's rules, so that TR and EN keyboards mean the same user. */
export function normalLogin(login: string): string {
  return login.normalize('NFC').trim().toLowerCase()
}

/** A user who may sign in. */
export async function findCredentials(database: Database, login: string): Promise<Credentials | undefined> {
  const row = await first(
    database,
    sql<UserRow>`select id, login, name, role, password_hash from account."user" where login = ${normalLogin(login)} and disabled_at is null`
  )
  return row === undefined ? undefined : { id: row.id, login: row.login, name: row.name, role: row.role, passwordHash: row.password_hash }
}

/**
 * Opens a session and clears away those that are over.
 *
 * @returns the token, which is nowhere kept: the database has its hash
 */
export async function openSession(database: Database, userId: bigint, clock: Clock): Promise<string> {
  const token = randomBytes(32).toString('base64url')
  const now = clock.now()
  await execute(database, sql`delete from account.session where expires_at <= ${toIso(now)}::timestamptz`)
  await execute(
    database,
    sql`insert into account.session (token_hash, user_id, created_at, expires_at)
      values (${hashOf(token)}, ${userId}, ${toIso(now)}::timestamptz, ${toIso(epochMs(now + sessionHours * 3_600_000))}::timestamptz)`
  )
  return token
}

export async function findSession(database: Database, token: string, clock: Clock): Promise<StaffUser | null> {
  const row = await first(
    database,
    sql<StaffUser>`select u.id, u.login, u.name, u.role from account.session s join account."user" u on u.id = s.user_id
      where s.token_hash = ${hashOf(token)} and s.expires_at > ${toIso(clock.now())}::timestamptz and u.disabled_at is null`
  )
  return row ?? null
}

export async function closeSession(database: Database, token: string): Promise<void> {
  await execute(database, sql`delete from account.session where token_hash = ${hashOf(token)}`)
}

/** Ends every session of a user: whoever had the old password is out. */
export async function closeSessionsOf(database: Database, login: string): Promise<void> {
  await execute(
    database,
    sql`delete from account.session s using account."user" u where u.id = s.user_id and u.login = ${normalLogin(login)}`
  )
}

/** Makes a user, or gives one another name, role and password; a disabled one can sign in again. */
export async function saveUser(
  database: Database,
  user: { readonly login: string; readonly name: string; readonly role: Role; readonly passwordHash: string }
): Promise<void> {
  await execute(
    database,
    sql`insert into account."user" (login, name, role, password_hash)
      values (${normalLogin(user.login)}, ${user.name}, ${user.role}, ${user.passwordHash})
      on conflict (login) do update set name = excluded.name, role = excluded.role, password_hash = excluded.password_hash, disabled_at = null`
  )
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}
