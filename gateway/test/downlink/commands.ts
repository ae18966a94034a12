import type { EpochMs } from '@endeks/domain/time'
import { type CommandKind, type CommandMessage, parseCommandMessage } from '@endeks/domain/wire'

const parameters = { 'read-now': {}, 'set-clock': {}, valve: { position: 'closed' }, credit: { amount: '12.5', unit: 'm3' } } as const

/** The n-th command of a test, issued now, with ten minutes left. */
export function commandOf(kind: CommandKind, n: number, now: EpochMs, other: Partial<CommandMessage> = {}): CommandMessage {
  const id = `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`
  const place = { bus: 'loggers', address: '17' }
  const message = {
    v: 1,
    id,
    kind,
    ...place,
    parameters: parameters[kind],
    requestedBy: 'ayse',
    issuedAt: now,
    deadline: now + 600_000,
    ...other
  }
  const parsed = parseCommandMessage(JSON.stringify(message))
  if (!parsed.ok) throw parsed.error
  return parsed.value
}
