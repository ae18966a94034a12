import type { DeviceIdentity, MeterReading, Obis } from '@endeks/domain/metering'
import type { Evidence, MeterKeys, MeterReadout } from '../../protocol.js'
import { type Apdu, readApdu } from './apdu.js'
import { readStream } from './apdu-stream.js'
import { CipherContext, isCiphered } from './cipher-context.js'
import { systemTitleSize } from './ciphered.js'
import { refusal } from './conversation.js'
import type { DlmsData } from './data-types.js'
import { DlmsFault } from './fault.js'
import { numberOf } from './identity.js'
import { type Moment, momentOf } from './moment.js'
import type { DlmsProfile, PushColumn } from './profile.js'
import { Refusals } from './refusals.js'
import { pairOfKeys } from './replay.js'
import { counterOf, type ScalerUnit, scalerUnitOf } from './scaler-unit.js'
import { dateTimeOctets } from './selective-access.js'

/** What a meter sent without being asked: data-notifications, open or in general ciphering. @throws {DlmsFault} */
export function decodePushed(evidence: Evidence, profile: DlmsProfile): MeterReadout {
  const { push } = profile
  if (push === undefined) throw new DlmsFault('DLMS_PROFILE', 'the meter pushed, and the profile does not say what a push holds')
  const apdus = readStream(evidence.response, 'response')?.apdus ?? []
  const open = opening(profile, evidence.keys)
  const refusals = new Refusals()
  const invalid = new Map(profile.registers.map((register) => [register.obis, register.invalid]))
  const pushed = apdus.map((apdu) => readNotification(open(readApdu(apdu)), { push, invalid, evidence, refusals }))
  const [first] = pushed
  if (first === undefined) throw new DlmsFault('DLMS_INCOMPLETE', 'nothing was pushed')
  const stranger = pushed.find(({ identity }) => identity.id !== first.identity.id)
  if (stranger !== undefined)
    throw new DlmsFault('DLMS_IDENTITY', `meters ${first.identity.id} and ${stranger.identity.id} pushed in one conversation`)
  const readings = pushed.flatMap((each) => each.readings)
  return { identity: first.identity, readings, ...refusals.among(readings.length) }
}

/** A meter whose profile is ciphered must not push in the open: anybody could. */
function opening({ association }: DlmsProfile, keys: MeterKeys | undefined): (apdu: Apdu) => Apdu {
  if (association === undefined || association.protection === 'none') return (apdu) => apdu
  const { encryption: global, authentication } = pairOfKeys(keys)
  const broadcast = keys?.secrets.broadcast
  const context = new CipherContext({
    keys: { global, authentication, ...(broadcast === undefined ? {} : { broadcast }) },
    ownTitle: new Uint8Array(systemTitleSize),
    required: association.protection
  })
  return (apdu) => {
    if (!isCiphered(apdu)) throw new DlmsFault('DLMS_SECURITY_LEVEL', `${apdu.apdu} came open where all is ciphered`)
    return context.open(apdu)
  }
}

interface Notified {
  readonly push: readonly PushColumn[]
  readonly invalid: ReadonlyMap<Obis, readonly bigint[]>
  readonly evidence: Evidence
  readonly refusals: Refusals
}

function readNotification(
  apdu: Apdu,
  { push, invalid, evidence, refusals }: Notified
): { readonly identity: DeviceIdentity; readonly readings: readonly MeterReading[] } {
  if (apdu.apdu !== 'data-notification') throw refusal('a data-notification', apdu)
  const cells = apdu.body.type === 'structure' ? apdu.body.value : [apdu.body]
  if (cells.length !== push.length)
    throw new DlmsFault('DLMS_CAPTURES', `the meter pushed ${cells.length} elements, the profile names ${push.length}`)
  const cellOf = (name: 'identity' | 'clock'): DlmsData | undefined => cells[push.indexOf(name)]
  const number = cellOf('identity')
  if (number === undefined) throw new DlmsFault('DLMS_IDENTITY', 'the push does not name its meter')
  const clock = cellOf('clock') ?? (apdu.time && dateTimeOctets(apdu.time))
  const moment = refusals.keep('the push', () => pushMoment(clock, evidence))
  const readings = push.flatMap((column, index): MeterReading[] => {
    const cell = cells[index]
    if (typeof column === 'string' || column.kind !== 'value' || cell === undefined || cell.type === 'null-data') return []
    const { obis } = column
    return (
      refusals.keep(obis, () => {
        const scale = column.scale ?? pushedScale(push, cells, obis)
        const raw = counterOf(cell, invalid.get(obis))
        return moment === undefined ? [] : [{ obis, ...moment, raw, ...scale }]
      }) ?? []
    )
  })
  return { identity: { id: numberOf(number) }, readings }
}

/** A register's scaler and unit among the values. @throws {DlmsFault} DLMS_VALUE, DLMS_UNIT */
function pushedScale(push: readonly PushColumn[], cells: readonly DlmsData[], obis: Obis): ScalerUnit {
  const index = push.findIndex((column) => typeof column !== 'string' && column.kind === 'scale' && column.obis === obis)
  const cell = cells[index]
  if (cell === undefined) throw new DlmsFault('DLMS_INCOMPLETE', `the push does not hold the scaler and unit of ${obis}`)
  return scalerUnitOf(cell)
}

/** The clock among the values, else that of the notification, else the gateway's. A clock that is no instant is no time for a reading. */
function pushMoment(clock: DlmsData | undefined, { at, zone }: Evidence): Moment | undefined {
  return clock === undefined ? { at, status: 0 } : momentOf(clock, zone)
}
