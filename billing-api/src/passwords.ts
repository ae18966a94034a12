import { randomBytes } from 'node:crypto'
import { AppError } from '@endeks/domain/errors'
import { hash, verify } from '@node-rs/argon2'

/** Argon2id with 19 MiB and two passes: the first choice of OWASP's password storage cheat sheet, and the library's default. */
export async function hashPassword(password: string): Promise<string> {
  return hash(password)
}

/** Whether the password is the one that was hashed. A hash that can't be read is a fault of ours, not a wrong password. */
export async function isPassword(hashed: string, password: string): Promise<boolean> {
  try {
    return await verify(hashed, password)
  } catch (thrown) {
    throw new AppError('INTERNAL', 'a stored password hash can not be read', {}, thrown)
  }
}

/** For a machine: 192 bits, in letters that need no quoting anywhere. */
export function makePassword(): string {
  return randomBytes(24).toString('base64url')
}

const shortest = 8

/** @throws {AppError} VALIDATION for one that is too short to withstand guessing, or too long to be hashed in time */
export function checkNewPassword(password: string): void {
  if (password.length >= shortest && password.length <= 256) return
  throw new AppError('VALIDATION', `a password has ${shortest} to 256 characters, not ${password.length}`)
}
