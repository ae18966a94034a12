import { createHash } from 'node:crypto'
import { gatewayId } from '@endeks/domain/identifiers'
import { obis } from '@endeks/domain/metering'
import type { EpochMs } from '@endeks/domain/time'
import { encodeReadings, topicFor, type WireExchange } from '@endeks/domain/wire'
import { heatMeterFrames } from '../codec/mbus-frames.js'
import { type Block, blockOf, gatewayName, instantOf, type Load, messagesPerSweep, rawOf, repeatedReadings, site } from './load.js'
import { publishHead } from './mqtt-packets.js'

/** What a meter's registers are called: volume in all, and by rate. */
export const obisCodes = Array.from({ length: site.registersPerMeter }, (_, rate) => obis(`8-0:1.0.${rate}*255`))
export const manufacturer = 'ELS'
export const bus = 'bus-1'

/** The request for a meter's data (REQ_UD2) and recorded answers of the usual length. */
const request = Buffer.from('107b017c16', 'hex')
const responses = heatMeterFrames(64).map((frame) => Buffer.from(frame))

export function serialOf(gateway: number, meter: number): string {
  return String(20_000_000 + gateway * 10_000 + meter)
}

/** Instants and counters have the same number of digits in every message, so they can be written over. */
const instantDigits = 13
const rawDigits = 8

/** A message of a block of registers, without its sequence number, and where in it instants and counters stand. */
interface Template {
  readonly head: Buffer
  readonly tail: Buffer
  readonly exchanges: readonly number[]
  readonly instants: number
  readonly raws: number
}

/**
 * Makes the messages of a load. The text of each block of registers is encoded once; a message is a copy in which sequence,
 * instants and counters are written over. What a copy costs, the generator would otherwise pay many times, and the services
 * measured share its processors.
 */
export class Messages {
  readonly #load: Load
  readonly #templates = new Map<number, Template>()
  readonly #instants = new Map<number, Buffer>()

  constructor(load: Load) {
    this.#load = load
  }

  /** Encodes the texts of a gateway before the clock runs. */
  prepare(gateway: number): void {
    for (let index = 0; index < messagesPerSweep(this.#load); index += 1) this.#template(gateway, index)
  }

  /** A PUBLISH with the nth message of a gateway. */
  publish(gateway: number, index: number, packetId: number): Buffer {
    const template = this.#template(gateway, index)
    const sequence = Buffer.from(String(index + 1))
    const length = template.head.length + sequence.length + template.tail.length
    const head = publishHead(topics(gateway), packetId, length)
    const message = Buffer.concat([head, template.head, sequence, template.tail])
    this.#fill(message.subarray(message.length - template.tail.length), template, blockOf(this.#load, gateway, index))
    return message
  }

  #template(gateway: number, index: number): Template {
    const sweep = messagesPerSweep(this.#load)
    const key = gateway * sweep + (index % sweep)
    let template = this.#templates.get(key)
    if (template === undefined) {
      template = templateOf(this.#load, blockOf(this.#load, gateway, index % sweep))
      this.#templates.set(key, template)
    }
    return template
  }

  #fill(tail: Buffer, template: Template, block: Block): void {
    const { instantsPerExchange } = this.#load
    const lastTick = block.firstTick + instantsPerExchange - 1
    for (const position of template.exchanges) this.#instant(lastTick).copy(tail, position)
    for (const [n, { register, tick }] of readingsOf(this.#load, block).entries()) {
      this.#instant(tick).copy(tail, template.instants + n * (instantDigits + 1))
      writeDigits(tail, template.raws + n * (rawDigits + 3), rawOf(block.gateway * site.registersPerGateway + register, tick))
    }
  }

  #instant(tick: number): Buffer {
    let digits = this.#instants.get(tick)
    if (digits === undefined) {
      digits = Buffer.from(String(instantOf(this.#load, tick)))
      this.#instants.set(tick, digits)
    }
    return digits
  }
}

const topicBytes = new Map<number, Buffer>()

function topics(gateway: number): Buffer {
  let topic = topicBytes.get(gateway)
  if (topic === undefined) {
    topic = Buffer.from(topicFor(gatewayId(gatewayName(gateway)), 'readings'))
    topicBytes.set(gateway, topic)
  }
  return topic
}

/** Exchange by exchange, and of each instant by instant; then those that are repeated. */
function readingsOf(load: Load, block: Block): { readonly register: number; readonly tick: number }[] {
  const { registersPerExchange, instantsPerExchange } = load
  const readings: { register: number; tick: number }[] = []
  for (let first = 0; first < block.registers; first += registersPerExchange) {
    for (let tick = block.firstTick; tick < block.firstTick + instantsPerExchange; tick += 1) {
      for (let n = first; n < first + registersPerExchange; n += 1) readings.push({ register: block.firstRegister + n, tick })
    }
  }
  for (let n = 0; n < repeatedReadings(load); n += 1) {
    const register = block.firstRegister + ((n * 100) % block.registers)
    readings.push({ register, tick: block.firstTick - 1 })
  }
  return readings
}

function templateOf(load: Load, block: Block): Template {
  const at = instantOf(load, block.firstTick)
  const readings = readingsOf(load, block)
  const exchangeCount = block.registers / load.registersPerExchange
  const exchangeAt = (register: number): number => Math.floor((register - block.firstRegister) / load.registersPerExchange)
  const text = JSON.stringify(
    encodeReadings({
      epoch: load.epoch,
      lane: 'live',
      sequence: 1,
      exchanges: Array.from({ length: exchangeCount }, (_, n) =>
        exchangeOf(load, { gateway: block.gateway, register: block.firstRegister + n * load.registersPerExchange, at })
      ),
      readings: readings.map(({ register }) => ({
        exchange: exchangeAt(register),
        obis: obisCodes[register % site.registersPerMeter] ?? obis('8-0:1.0.0*255'),
        at,
        raw: BigInt('9'.repeat(rawDigits)),
        scaler: -3,
        unit: 'm3',
        status: 0
      }))
    })
  )
  const sequence = '"sequence":'
  const cut = text.indexOf(sequence) + sequence.length
  const tail = text.slice(cut + 1)
  return {
    head: Buffer.from(text.slice(0, cut)),
    tail: Buffer.from(tail),
    exchanges: positionsOf(tail, `"at":${at}`).map((position) => position + '"at":'.length),
    instants: tail.indexOf('"at":[') + '"at":['.length,
    raws: tail.indexOf('"raw":["') + '"raw":["'.length
  }
}

function exchangeOf(load: Load, of: { readonly gateway: number; readonly register: number; readonly at: EpochMs }): WireExchange {
  const meter = Math.floor(of.register / site.registersPerMeter)
  const serial = serialOf(of.gateway, meter)
  // A load profile's answer is as long as so many answers of one instant.
  const response = Buffer.concat(
    Array.from({ length: load.instantsPerExchange }, (_, n) => responses[(meter + n) % responses.length] ?? request)
  )
  return {
    bus,
    address: serial,
    protocol: 'mbus',
    identity: { id: serial, manufacturer, version: 1, medium: 'cold-water' },
    profile: 'ab'.repeat(32),
    keyVersion: 0,
    zone: 'Europe/Istanbul',
    at: of.at,
    request: request.toString('base64'),
    response: response.toString('base64'),
    sha256: createHash('sha256').update(request).update(response).digest('hex')
  }
}

function positionsOf(text: string, part: string): number[] {
  const positions: number[] = []
  for (let position = text.indexOf(part); position >= 0; position = text.indexOf(part, position + 1)) positions.push(position)
  return positions
}

function writeDigits(target: Buffer, position: number, value: number): void {
  let rest = value
  for (let index = rawDigits - 1; index >= 0; index -= 1) {
    target[position + index] = 48 + (rest % 10)
    rest = Math.floor(rest / 10)
  }
}
