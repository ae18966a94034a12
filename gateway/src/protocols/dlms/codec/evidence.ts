import type { DeviceIdentity, MeterReading, Obis } from '@endeks/domain/metering'
import { statusBits } from '@endeks/domain/metering'
import type { Result } from '@endeks/domain/result'
import type { DecodeFailure, Evidence, MeterReadout } from '../../protocol.js'
import { type Apdu, readApdu } from './apdu.js'
import { acceptAssociation, OpenGet } from './conversation.js'
import { type DlmsData, integerOf } from './data-types.js'
import { clockStatus, toInstant } from './date-time.js'
import { DlmsFault, guarded } from './fault.js'
import type { AttributeReference, GetRequestNormal } from './get.js'
import { type DlmsProfile, parseProfile } from './profile.js'
import { ByteReader, toHex } from './reader.js'
import { counterOf, type ScalerUnit, scalerUnitOf } from './scaler-unit.js'
import { dateTimeOf } from './selective-access.js'
import { readWrapper } from './wrapper.js'

/** Attributes of Register and Extended register, and the buffer of Profile generic. */
export const registerAttribute = { value: 2, scalerUnit: 3 } as const
export const profileGeneric = { class: 7, buffer: 2 } as const

/** What a conversation's bytes say, by what its profile asks: the pure half of reading a meter. */
export function decodeEvidence(evidence: Evidence): Result<MeterReadout, DecodeFailure> {
  return guarded(() => {
    const profile = parseProfile(evidence.profile)
    const answers = answersOf(evidence)
    const scales = new Map(profile.registers.map((register) => [register.obis, scaleOf(answers, register)]))
    const current = profile.registers.map((register): MeterReading => {
      const raw = counterOf(answers.get({ ...register, attribute: registerAttribute.value }))
      return { obis: register.obis, at: evidence.at, raw, ...scaleIn(scales, register.obis), status: 0 }
    })
    const { obis, class: identityClass, attribute } = profile.identity
    const identity = identityOf(answers.get({ obis, class: identityClass, attribute }))
    return { identity, readings: [...current, ...bufferReadings(profile, answers, scales, evidence.zone)] }
  })
}

type Scales = ReadonlyMap<Obis, ScalerUnit>

function scaleOf(answers: Answers, register: { readonly obis: Obis; readonly class: number }): ScalerUnit {
  return scalerUnitOf(answers.get({ ...register, attribute: registerAttribute.scalerUnit }))
}

function scaleIn(scales: Scales, obis: Obis): ScalerUnit {
  const scale = scales.get(obis)
  if (scale === undefined) throw new DlmsFault('DLMS_INCOMPLETE', `the conversation did not ask for the scaler and unit of ${obis}`)
  return scale
}

/** Values by attribute, as the conversation asked for them. */
class Answers {
  readonly #values = new Map<string, DlmsData>()

  static #key(reference: AttributeReference): string {
    return `${reference.class}/${reference.obis}/${reference.attribute}`
  }

  set(reference: AttributeReference, data: DlmsData): void {
    this.#values.set(Answers.#key(reference), data)
  }

  find(reference: AttributeReference): DlmsData | undefined {
    return this.#values.get(Answers.#key(reference))
  }

  get(reference: AttributeReference): DlmsData {
    const data = this.find(reference)
    if (data === undefined) {
      throw new DlmsFault('DLMS_INCOMPLETE', `the conversation holds no answer for attribute ${reference.attribute} of ${reference.obis}`)
    }
    return data
  }
}

interface Ports {
  readonly source: number
  readonly destination: number
}

/** All APDUs of one direction. Every frame must come from and go to the same wPorts as the first. */
function framesOf(bytes: Uint8Array, ports: Ports | undefined): { readonly apdus: readonly Apdu[]; readonly ports: Ports | undefined } {
  const reader = new ByteReader(bytes)
  const apdus: Apdu[] = []
  let expected = ports
  while (reader.left > 0) {
    const at = reader.offset
    const { source, destination, body } = readWrapper(reader)
    expected ??= { source, destination }
    if (source !== expected.source || destination !== expected.destination) {
      throw new DlmsFault(
        'DLMS_WRONG_PORT',
        `a frame from wPort ${source} to ${destination} stands where ${expected.source} talks to ${expected.destination}`,
        at
      )
    }
    apdus.push(readApdu(body))
  }
  return { apdus, ports: expected }
}

/** Pairs requests with responses in order: on one connection there is never more than one request without its answer. */
function answersOf(evidence: Evidence): Answers {
  const asked = framesOf(evidence.request, undefined)
  const mirrored = asked.ports === undefined ? undefined : { source: asked.ports.destination, destination: asked.ports.source }
  const answered = framesOf(evidence.response, mirrored)
  if (answered.apdus.length > asked.apdus.length)
    throw new DlmsFault('DLMS_UNEXPECTED', 'the conversation holds more answers than requests')
  const answers = new Answers()
  let associated = false
  let open: OpenGet | undefined
  for (const [index, request] of asked.apdus.entries()) {
    const response = answered.apdus[index]
    // A meter that hangs up on the release has said everything before.
    if (request.apdu === 'rlrq') break
    if (response === undefined) throw new DlmsFault('DLMS_INCOMPLETE', `request ${index + 1} (${request.apdu}) has no answer`)
    if (request.apdu === 'aarq') {
      acceptAssociation(response)
      associated = true
      continue
    }
    if (!associated) throw new DlmsFault('DLMS_INCOMPLETE', 'the conversation does not begin with an association')
    open = openedBy(request, open)
    const data = open.accept(response)
    if (data === undefined) continue
    answers.set(open.request, data)
    open = undefined
  }
  return answers
}

function openedBy(request: Apdu, open: OpenGet | undefined): OpenGet {
  if (request.apdu === 'get-request-normal' && open === undefined) return new OpenGet(request satisfies GetRequestNormal)
  if (request.apdu === 'get-request-next' && open !== undefined) return open
  throw new DlmsFault('DLMS_UNEXPECTED', `${request.apdu} is not a request that can stand here`)
}

/** The number on the dial. Meters pad it with blanks or zero bytes; one that is not text stands in hex. */
function identityOf(data: DlmsData): DeviceIdentity {
  const number = integerOf(data)
  if (number !== undefined) return { id: number.toString() }
  let text: string | undefined
  if (data.type === 'visible-string' || data.type === 'utf8-string') text = data.value
  if (data.type === 'octet-string') text = Buffer.from(data.value).toString('latin1')
  if (text === undefined) throw new DlmsFault('DLMS_IDENTITY', `a ${data.type} is not a meter's number`)
  const trimmed = text.replace(/[\0 ]+$/, '').trimStart()
  if (trimmed === '') throw new DlmsFault('DLMS_IDENTITY', "the meter's number is empty")
  if (/^[\x20-\x7e]+$/.test(trimmed)) return { id: trimmed }
  return { id: data.type === 'octet-string' ? toHex(data.value) : trimmed }
}

/** The rows of the load profile, where the conversation asked for it. */
function bufferReadings(profile: DlmsProfile, answers: Answers, scales: Scales, zone: string): MeterReading[] {
  const buffer = profile.profileBuffer
  if (buffer === undefined) return []
  const data = answers.find({ class: profileGeneric.class, obis: buffer.obis, attribute: profileGeneric.buffer })
  if (data === undefined) return []
  if (data.type !== 'array' && data.type !== 'compact-array')
    throw new DlmsFault('DLMS_VALUE', `the buffer of ${buffer.obis} is not an array`)
  const clockColumn = buffer.captures.indexOf('clock')
  const readings: MeterReading[] = []
  for (const row of data.value) {
    const cells = row.type === 'structure' ? row.value : []
    if (cells.length !== buffer.captures.length) {
      throw new DlmsFault('DLMS_VALUE', `a row of ${buffer.obis} has ${cells.length} columns, the profile names ${buffer.captures.length}`)
    }
    const clock = cells[clockColumn]
    const time = clock === undefined ? undefined : dateTimeOf(clock)
    const at = time === undefined ? undefined : toInstant(time, zone)
    // A value that nobody can place in time is no reading: the gap shows and is estimated, a guess would be billed.
    if (time === undefined || at === undefined) continue
    const doubtful = time.status !== 0xff && (time.status & clockStatus.doubtful) !== 0
    const status = doubtful ? statusBits.clockInvalid : 0
    for (const [column, obis] of buffer.captures.entries()) {
      const cell = cells[column]
      // null-data is "not captured" as well as "unchanged" in the field: only a value that was sent is a reading.
      if (obis === 'clock' || obis === 'ignore' || cell === undefined || cell.type === 'null-data') continue
      readings.push({ obis, at, raw: counterOf(cell), ...scaleIn(scales, obis), status })
    }
  }
  return readings
}
