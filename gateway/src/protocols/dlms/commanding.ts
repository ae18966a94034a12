import type { Clock } from '@endeks/domain/time'
import { amountFor } from '../amount.js'
import type { CommandOutcome, MeterCommand } from '../protocol.js'
import type { DlmsData } from './codec/data-types.js'
import { fromInstant } from './codec/date-time.js'
import { DlmsFault } from './codec/fault.js'
import { attributes, controlStates } from './codec/object-classes.js'
import type { CommandPlan, WrittenObject } from './codec/profile.js'
import { dateTimeOctets } from './codec/selective-access.js'
import { encodeData } from './codec/value.js'
import { execute, set } from './commands.js'
import { type Dialogue, type Session, tryGet } from './session.js'

export interface Commanding {
  readonly plan: CommandPlan
  readonly command: MeterCommand
  readonly zone: string
  readonly clock: Clock
  /** kept up while the conversation goes on, so that it is known also of one that breaks off */
  readonly progress: Progress
}

export interface Progress {
  /** a request was handed over: whatever comes now, the meter may have done it */
  told: boolean
  /** the meter has confirmed it */
  result: Extract<CommandOutcome, { readonly state: 'done' }>['result'] | undefined
}

/**
 * Carries out one command in an open association.
 *
 * @throws {DlmsFault} as `set` and `execute`; COMMAND_UNSUPPORTED before anything was sent, where the profile has no way
 */
export function* carryOut(session: Session, commanding: Commanding): Dialogue {
  const { command } = commanding
  if (command.kind === 'set-clock') return yield* setClock(session, commanding)
  if (command.kind === 'valve') return yield* moveValve(session, command.position, commanding)
  return yield* giveCredit(session, command, commanding)
}

function* setClock(session: Session, { plan, zone, clock, progress }: Commanding): Dialogue {
  progress.told = true
  const at = clock.now()
  const { class: objectClass, time: attribute } = attributes.clock
  yield* set(session, { class: objectClass, obis: plan.clock, attribute }, dateTimeOctets(fromInstant(at, zone)))
  progress.result = { setTo: at }
}

function* moveValve(session: Session, position: 'open' | 'closed', { plan: { valve }, progress }: Commanding): Dialogue {
  if (!('disconnector' in valve)) {
    const number = valve[position]
    yield* write(session, valve, dataOf(valve.type, BigInt(number)), progress)
    progress.result = { written: number }
    return
  }
  const { class: objectClass, remoteDisconnect, remoteReconnect, outputState, controlState } = attributes.disconnectControl
  const object = { class: objectClass, obis: valve.disconnector }
  progress.told = true
  // The parameter says nothing and must be there (Blue Book, class 70: remote_disconnect (data), integer 0).
  yield* execute(session, { ...object, method: position === 'open' ? remoteReconnect : remoteDisconnect }, { type: 'integer', value: 0 })
  progress.result = {}
  const output = yield* tryGet(session, { ...object, attribute: outputState })
  const control = yield* tryGet(session, { ...object, attribute: controlState })
  progress.result = {
    ...('data' in output && output.data.type === 'boolean' ? { valve: output.data.value ? 'open' : 'closed' } : {}),
    ...('data' in control && control.data.type === 'enum' ? { control: controlStates[control.data.value] ?? control.data.value } : {})
  }
}

function* giveCredit(session: Session, command: Extract<MeterCommand, { kind: 'credit' }>, { plan, progress }: Commanding): Dialogue {
  const { credit } = plan
  if (credit === undefined) throw new DlmsFault('COMMAND_UNSUPPORTED', 'the profile declares no credit')
  const amount = amountFor(command, credit)
  if (!amount.ok) throw new DlmsFault('COMMAND_UNSUPPORTED', amount.error.message)
  yield* write(session, credit, dataOf(credit.type, amount.value), progress)
  progress.result = { written: amount.value.toString() }
}

function* write(session: Session, { class: objectClass, obis, member }: WrittenObject, data: DlmsData, progress: Progress): Dialogue {
  progress.told = true
  if ('attribute' in member) yield* set(session, { class: objectClass, obis, attribute: member.attribute }, data)
  else yield* execute(session, { class: objectClass, obis, method: member.method }, data)
}

/** @throws {DlmsFault} COMMAND_UNSUPPORTED for a number that the type cannot hold */
function dataOf(type: WrittenObject['type'], value: bigint): DlmsData {
  const data = typed(type, value)
  try {
    encodeData(data)
  } catch (thrown) {
    if (!(thrown instanceof DlmsFault)) throw thrown
    throw new DlmsFault('COMMAND_UNSUPPORTED', `${value} does not fit ${type}`)
  }
  return data
}

function typed(type: WrittenObject['type'], value: bigint): DlmsData {
  if (type === 'boolean') return { type, value: value !== 0n }
  if (type === 'long64' || type === 'long64-unsigned') return { type, value }
  return { type, value: Number(value) }
}
