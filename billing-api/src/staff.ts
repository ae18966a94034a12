import type { Pool } from '@endeks/database/pool'
import { AppError } from '@endeks/domain/errors'
import { checkNewPassword, hashPassword, isPassword } from './passwords.js'
import { closeSessionsOf, findCredentials, normalLogin, saveUser } from './resources/session/store.js'
import type { Role } from './rights.js'

export interface StaffAccount {
  readonly login: string
  readonly name: string
  readonly role: Role
  readonly password: string
}

/**
 * Makes a member of staff, or gives one another name, role or password; with a new password every session of theirs ends.
 *
 * @returns whether anything was changed: the same again changes nothing
 * @throws {AppError} VALIDATION for a login or password that can't be used
 */
export async function ensureUser(pool: Pool, account: StaffAccount): Promise<boolean> {
  const login = normalLogin(account.login)
  if (!/^[a-z0-9][a-z0-9._-]{0,63}$/.test(login)) {
    throw new AppError('VALIDATION', `"${account.login.slice(0, 64)}" is not a login: letters a to z, digits, dot, hyphen and underscore`)
  }
  if (account.name.length < 1 || account.name.length > 100) throw new AppError('VALIDATION', 'a name has 1 to 100 characters')
  checkNewPassword(account.password)
  const standing = await findCredentials(pool, login)
  const samePassword = standing !== undefined && (await isPassword(standing.passwordHash, account.password))
  if (samePassword && standing.name === account.name && standing.role === account.role) return false
  const passwordHash = samePassword ? standing.passwordHash : await hashPassword(account.password)
  await saveUser(pool, { login, name: account.name, role: account.role, passwordHash })
  if (!samePassword) await closeSessionsOf(pool, login)
  return true
}
