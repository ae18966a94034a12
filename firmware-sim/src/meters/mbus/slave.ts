import { AppError } from '@endeks/domain/errors'
import { mbus } from '@endeks/gateway/codec'
import type { SimulatedMeter } from '../meter.js'
import { acknowledgement, functionOf, SlaveLink } from './link.js'
import { applicationErrorOf, telegramsOf, unsayable, type View } from './telegrams.js'

const { selected: selectedAddress, test: testAddress, broadcast: broadcastAddress } = mbus.sharedAddress

/** CI fields that ask for another speed (EN 13757-7:2018), which a simulated line does not have. */
const baudRates = { first: 0xb8, last: 0xbf } as const
/** Application error (EN 13757-3:2013, 4.6): CI field not implemented. */
const unknownCi = 1

/** What the upper half of an application reset's subcode asks for (EN 13757-3:2013, 4.2): the rest gives all there is. */
const views: ReadonlyMap<number, View> = new Map([
  [0x20, 'billing'],
  [0x50, 'current']
])

/** Why M-Bus can't have this meter, or undefined when it can. */
function refusalOf(meter: SimulatedMeter): string | undefined {
  const { address } = meter
  const primary = /^\d{1,3}$/.test(address) && Number(address) <= mbus.highestPrimaryAddress
  if (!primary && !/^\d{8}(\D|$)/.test(address))
    return `"${address}" is neither a primary address from 0 to ${mbus.highestPrimaryAddress} nor a serial number of eight digits`
  return unsayable(meter)
}

/**
 * A meter on a bus: link layer (EN 13757-2), selection and application (EN 13757-3). A readout is a snapshot: all its frames are of
 * the instant at which the first was asked for.
 */
export class MbusSlave {
  readonly #meter: SimulatedMeter
  #primary: number | undefined
  #selected = false
  /** By its own address and by selection a meter is reached on two links (EN 13757-7:2018), each with its own frame count bit. */
  readonly #ownLink = new SlaveLink()
  readonly #selectedLink = new SlaveLink()
  #view: View = 'all'
  #pending: readonly Uint8Array[] = []
  #sent = 0
  #readouts = 0
  #error: number | undefined

  /** @throws {AppError} CONFIG_INVALID when the address is none of M-Bus or M-Bus can't say what the meter shows */
  constructor(meter: SimulatedMeter) {
    const refusal = refusalOf(meter)
    if (refusal !== undefined) throw new AppError('CONFIG_INVALID', `meter ${meter.identity.id}: ${refusal}`)
    this.#meter = meter
    const { secondaryOnly = false, primary = 0 } = meter.mbus ?? {}
    const given = meter.address.length < 8 ? Number(meter.address) : primary
    this.#primary = secondaryOnly ? undefined : given
  }

  /** The answer to a request, or undefined where this meter keeps silent: it is not for it, or for all. */
  answer(request: mbus.MbusFrame): Uint8Array | undefined {
    if (request.type === 'acknowledge') return undefined
    const { address, control } = request
    const command = request.type === 'long' && address === selectedAddress ? mbus.readCommand(request) : undefined
    if (command?.ok === true && command.value.kind === 'select') return this.#select(command.value.address)
    if (!this.#isReachedBy(address)) return undefined
    const answer = this.#done(request, functionOf(control), address === selectedAddress ? this.#selectedLink : this.#ownLink)
    return address === broadcastAddress ? undefined : answer
  }

  #isReachedBy(address: number): boolean {
    if (address === selectedAddress) return this.#selected
    return address === this.#primary || address === testAddress || address === broadcastAddress
  }

  /** Whoever is not meant by a selection is no longer selected, so that the one before needs no deselection. */
  #select(wanted: mbus.SecondaryAddress): Uint8Array | undefined {
    this.#selected = mbus.isSelected(wanted, this.#meter.identity)
    this.#selectedLink.reset()
    return this.#selected ? acknowledgement : undefined
  }

  #done(request: Exclude<mbus.MbusFrame, { type: 'acknowledge' }>, asked: ReturnType<typeof functionOf>, link: SlaveLink) {
    if (asked === 'reset') return this.#reset(request.address, link)
    // A meter without alarms acknowledges a request for them.
    if (asked === 'class-1') return acknowledgement
    if (asked === 'class-2') return link.answer(request.control, () => this.#data())
    if (asked !== 'send' || request.type !== 'long') return undefined
    return link.answer(request.control, () => this.#take(request))
  }

  #reset(address: number, link: SlaveLink): Uint8Array {
    if (address === selectedAddress || address === broadcastAddress) this.#selected = false
    link.reset()
    this.#pending = []
    return acknowledgement
  }

  /** SND_UD: what it cannot do a meter says with the next data, for the link layer has only E5 to give. */
  #take(frame: mbus.LongFrame): Uint8Array {
    this.#pending = []
    const command = mbus.readCommand(frame)
    if (!command.ok) {
      if (frame.ci < baudRates.first || frame.ci > baudRates.last) this.#error = unknownCi
    } else if (command.value.kind === 'application-reset') this.#view = views.get((command.value.subcode ?? 0) & 0xf0) ?? 'all'
    else if (command.value.kind === 'set-address' && command.value.address <= mbus.highestPrimaryAddress)
      this.#primary = command.value.address
    return acknowledgement
  }

  #data(): Uint8Array {
    if (this.#pending.length === 0) this.#pending = this.#readout()
    const [frame = acknowledgement, ...rest] = this.#pending
    this.#pending = rest
    return frame
  }

  #readout(): readonly Uint8Array[] {
    const { clock, faults } = this.#meter
    const now = clock.now()
    this.#readouts++
    const ailment = faults?.at(this.#readouts, now)
    // A slave without an address of its own answers with the one by which it was selected (EN 13757-7:2018).
    const address = this.#primary ?? selectedAddress
    const error = this.#error ?? ailment?.applicationError
    this.#error = undefined
    if (error !== undefined) return [applicationErrorOf(address, error)]
    const telegrams = telegramsOf(this.#meter, {
      address,
      now,
      sentBefore: this.#sent,
      view: this.#view,
      ...(ailment === undefined ? {} : { ailment })
    })
    this.#sent += telegrams.length
    return telegrams
  }
}
