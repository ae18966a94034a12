import { AppError } from '@endeks/domain/errors'
import { dlms } from '@endeks/gateway/codec'
import type { SimulatedMeter } from '../meter.js'
import { HdlcStation } from './hdlc-station.js'
import { Conversation, type Exchange, type Line, Pairs, type Random } from './line.js'
import type { LogicalAddress, LogicalDevice } from './logical-device.js'
import type { HdlcLineOptions } from './options.js'

/** Addresses of 7 and of 14 bits that stand for nobody, for a calling device and for all (IEC 62056-46, 6.4.2.3). */
const mostAddress = { short: 0x7d, long: 0x3ffd } as const
const all = { 1: 0x7f, 2: 0x7f, 4: 0x3fff } as const

/** A meter's address in an HDLC line: the logical device, and behind a slash the physical one where several share the line. */
const addressPattern = /^([1-9]\d{0,4})(?:\/([1-9]\d{0,4}))?$/

/** @throws {AppError} VALIDATION for an address that is none, or does not fit into the bytes that it is to have */
export function hdlcAddress(meter: SimulatedMeter): LogicalAddress {
  const [, upper, lower] = addressPattern.exec(meter.address) ?? []
  const sap = Number(upper)
  const physical = lower === undefined ? undefined : Number(lower)
  const size = meter.dlms?.addressSize ?? (physical === undefined ? 1 : 4)
  const most = size === 4 ? mostAddress.long : mostAddress.short
  const fits = sap <= most && (physical === undefined || physical <= most) && (size === 1) === (physical === undefined)
  if (!fits) {
    const form = size === 1 ? `a number to ${most}` : `"logical/physical", each to ${most}`
    throw new AppError('VALIDATION', `"${meter.address}" is no HDLC address of ${size} bytes: ${form}`)
  }
  return physical === undefined ? { sap } : { sap, physical }
}

interface Party {
  readonly station: HdlcStation
  /** as the client wrote it: the answer comes from there */
  readonly address: dlms.HdlcAddress
}

/** One connection with HDLC frames (IEC 62056-46): meters on one line, each with links of its own to its clients. */
export class HdlcLine implements Line {
  readonly #devices: readonly LogicalDevice[]
  readonly #own: dlms.HdlcParameters
  readonly #random: Random
  readonly #reader = new dlms.HdlcReader()
  readonly #parties = new Pairs<Party>()

  constructor(devices: readonly LogicalDevice[], options: HdlcLineOptions, random: Random) {
    const { maxInformation = dlms.hdlcDefaults.maxInformationTransmit, window = dlms.hdlcDefaults.windowTransmit } = options
    this.#devices = devices
    this.#own = {
      maxInformationTransmit: maxInformation,
      maxInformationReceive: maxInformation,
      windowTransmit: window,
      windowReceive: window
    }
    this.#random = random
  }

  /** Noise and damaged frames are passed over, as on a wire: the client asks again. */
  receive(chunk: Uint8Array): readonly Exchange[] {
    return this.#reader.push(chunk).flatMap((event) => ('frame' in event ? [this.#exchange(event.frame, event.bytes)] : []))
  }

  #exchange(frame: dlms.HdlcFrame, request: Uint8Array): Exchange {
    const { destination, source } = frame
    if (source.size !== 1) return { request }
    if (frame.control.kind === 'UI') {
      for (const each of this.#devices) if (isMeant(each, destination, true)) this.#partyOf(each, frame).station.receive(frame)
      return { request }
    }
    const logical = this.#devices.find((each) => isMeant(each, destination, false))
    if (logical === undefined) return { request }
    const answers = this.#partyOf(logical, frame).station.receive(frame)
    if (answers.length === 0) return { request }
    const frames = answers.map((answer) => dlms.encodeHdlcFrame({ ...answer, destination: source, source: destination }))
    return { request, answer: { address: logical.address, bytes: Buffer.concat(frames) } }
  }

  #partyOf(logical: LogicalDevice, { source, destination }: dlms.HdlcFrame): Party {
    const key = keyOf(logical, source.upper)
    const known = this.#parties.get(key)
    if (known !== undefined) return known
    const conversation = new Conversation(logical, source.upper, this.#random)
    const station = new HdlcStation({
      own: this.#own,
      answer: (apdu) => conversation.answer(apdu),
      reset: () => conversation.reset()
    })
    // What is said to everybody does not say how this one is addressed.
    const address = isMeant(logical, destination, false) ? destination : addressOf(logical)
    return this.#parties.set(key, { station, address })
  }

  /** In frames without number (IEC 62056-46, 6.4.4.7): they need no link, and disturb none. */
  notify(from: LogicalDevice, client: number, apdu: Uint8Array): Uint8Array | undefined {
    const party = this.#parties.get(keyOf(from, client))
    if (party !== undefined && !party.station.idle) return undefined
    const source = party?.address ?? addressOf(from)
    const room = party?.station.maxInformation ?? dlms.hdlcDefaults.maxInformationTransmit
    const pieces = dlms.cutSegments({ direction: 'response', apdu }, room)
    const frames = pieces.map((information, index) => {
      const segmented = index < pieces.length - 1
      const control = { kind: 'UI', final: !segmented } as const
      return dlms.encodeHdlcFrame({ destination: { size: 1, upper: client }, source, control, segmented, information })
    })
    return Buffer.concat(frames)
  }
}

function keyOf(logical: LogicalDevice, client: number): string {
  return `${client} ${logical.sap}/${logical.physical ?? ''}`
}

function addressOf({ sap, physical, standing }: LogicalDevice): dlms.HdlcAddress {
  if (physical === undefined) return { size: 1, upper: sap }
  const short = Math.max(sap, physical) <= mostAddress.short
  return { size: standing.device.options.addressSize === 4 || !short ? 4 : 2, upper: sap, lower: physical }
}

/** @param broadcast whether the address that means everybody counts */
function isMeant(logical: LogicalDevice, address: dlms.HdlcAddress, broadcast: boolean): boolean {
  const { sap, physical, standing } = logical
  const matches = (own: number | undefined, asked: number | undefined) => own === asked || (broadcast && asked === all[address.size])
  const lower = address.size === 1 ? undefined : address.lower
  const everybody = broadcast && address.size === 1 && address.upper === all[1]
  if (everybody) return true
  const { addressSize } = standing.device.options
  if (addressSize !== undefined && addressSize !== address.size) return false
  return matches(sap, address.upper) && matches(physical, lower)
}
