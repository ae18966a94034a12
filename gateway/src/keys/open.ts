import type { Clock } from '@endeks/domain/time'
import type { KeyPlace } from '../config/environment.js'
import { KeyRing } from './ring.js'

/** @returns undefined where no secret or no directory is known: then no key can be used. @throws {AppError} KEYS_UNREADABLE */
export async function openRing({ directory, secret }: KeyPlace, clock: Clock): Promise<KeyRing | undefined> {
  return directory === undefined || secret === undefined ? undefined : KeyRing.open({ directory, secret, clock })
}
