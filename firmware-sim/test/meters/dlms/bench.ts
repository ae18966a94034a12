import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { obis } from '@endeks/domain/metering'
import { type Clock, type EpochMs, epochMs } from '@endeks/domain/time'
import { dlms } from '@endeks/gateway/codec'
import type { Test } from 'tap'
import type { Random } from '../../../src/meters/dlms/line.js'
import { LogicalDevice, logicalDevices } from '../../../src/meters/dlms/logical-device.js'
import type { DlmsMeterOptions } from '../../../src/meters/dlms/options.js'
import { startDlmsBus } from '../../../src/meters/dlms/server.js'
import { WrapperLine, wrapperAddress } from '../../../src/meters/dlms/wrapper-line.js'
import type { SimulatedMeter } from '../../../src/meters/meter.js'

export const hour = 3_600_000
export const startedAt = epochMs(Date.UTC(2025, 2, 10, 9, 30))

export interface MeterOptions {
  readonly address?: string
  readonly id?: string
  readonly now?: EpochMs
  readonly digits?: number
  readonly zone?: string
  readonly startedAt?: EpochMs
  readonly clock?: Clock
  readonly dlms?: DlmsMeterOptions
}

/** Counts seven litres an hour. */
export function meter(options: MeterOptions = {}): SimulatedMeter {
  const { address = '1', id = '12345678', now = epochMs(Date.UTC(2026, 10, 24, 10)), digits = 9, zone = 'Europe/Istanbul' } = options
  const start = options.startedAt ?? startedAt
  return {
    address,
    identity: { id, manufacturer: 'KAM' },
    medium: 'cold-water',
    indexAt: (at) => BigInt(Math.max(0, Math.floor((at - start) / hour)) * 7) % 10n ** BigInt(digits),
    scaler: -3,
    unit: 'm3',
    digits,
    startedAt: start,
    clock: options.clock ?? { now: () => now },
    zone,
    ...(options.dlms === undefined ? {} : { dlms: options.dlms })
  }
}

/** A client of its own on a raw socket: the codec decodes, nothing of the gateway's driver takes part. */
export class Client {
  readonly #socket: Socket
  readonly #assembler = new dlms.WrapperAssembler()
  readonly sizes: number[] = []

  constructor(socket: Socket) {
    this.#socket = socket
  }

  async ask(apdu: dlms.Apdu | Uint8Array, to = 1, from = 16): Promise<dlms.Apdu> {
    const bytes = apdu instanceof Uint8Array ? apdu : dlms.encodeApdu(apdu)
    this.#socket.write(dlms.encodeWrapper({ source: from, destination: to, apdu: bytes }))
    for (;;) {
      const [chunk] = (await once(this.#socket, 'data')) as [Uint8Array]
      const [frame] = this.#assembler.push(chunk)
      if (frame === undefined) continue
      if (frame.source !== to || frame.destination !== from) throw new Error('the answer comes from elsewhere')
      this.sizes.push(frame.apdu.length)
      const decoded = dlms.decodeApdu(frame.apdu)
      if (!decoded.ok) throw new Error(decoded.error.message)
      return decoded.value
    }
  }

  async get(objectClass: number, name: string, attribute: number, access?: dlms.SelectiveAccess, to = 1): Promise<dlms.DlmsData> {
    const selected = access === undefined ? {} : { access }
    const reference = { class: objectClass, obis: obis(name), attribute }
    const open = new dlms.OpenGet({ apdu: 'get-request-normal', invoke: 0xc1, ...reference, ...selected })
    let results = open.accept(await this.ask(open.request, to))
    while (results === undefined) results = open.accept(await this.ask(open.next(), to))
    const [result] = results
    if (result === undefined) throw new Error('the answer holds no result')
    return dlms.valueIn(reference, result)
  }
}

interface Proposal {
  readonly maxPduSize?: number
  readonly conformance?: number
  readonly dlmsVersion?: number
}

export const everything = dlms.conformance(...dlms.conformanceBits)

export function aarq({ maxPduSize = 0xffff, conformance = everything, dlmsVersion = 6 }: Proposal = {}): dlms.Aarq {
  return {
    apdu: 'aarq',
    applicationContextName: dlms.applicationContexts.logicalNames,
    userInformation: { apdu: 'initiate-request', responseAllowed: true, dlmsVersion, conformance, maxPduSize }
  }
}

export async function setUp(t: Test, meters: readonly SimulatedMeter[], associate = true): Promise<Client> {
  const bus = await startDlmsBus({ host: '127.0.0.1', port: 0, meters })
  const socket = connect(bus.port, '127.0.0.1')
  await once(socket, 'connect')
  t.teardown(async () => {
    socket.destroy()
    await bus.close()
  })
  const client = new Client(socket)
  if (associate) await client.ask(aarq())
  return client
}

/** A line of these meters without sockets: one APDU in, one out. */
export class Table {
  readonly #line: WrapperLine
  readonly #client: number

  constructor(
    client: number,
    meters: readonly SimulatedMeter[] | readonly LogicalDevice[],
    random: Random = (size) => new Uint8Array(size)
  ) {
    this.#client = client
    this.#line = new WrapperLine(standing(meters), random)
  }

  /** @returns undefined where the meter says nothing */
  bytes(request: Uint8Array, to = 1): Uint8Array | undefined {
    const [exchange] = this.#line.receive(dlms.encodeWrapper({ source: this.#client, destination: to, apdu: request }))
    return exchange?.answer?.bytes.subarray(dlms.wrapperHeaderSize)
  }

  hex(request: string, to = 1): string {
    const answer = this.bytes(Buffer.from(request.replaceAll(' ', ''), 'hex'), to)
    return answer === undefined ? 'nothing' : Buffer.from(answer).toString('hex')
  }

  ask(request: dlms.Apdu, to = 1): dlms.Apdu | undefined {
    const answer = this.bytes(dlms.encodeApdu(request), to)
    if (answer === undefined) return undefined
    const decoded = dlms.decodeApdu(answer)
    if (!decoded.ok) throw new Error(decoded.error.message)
    return decoded.value
  }
}

function standing(meters: readonly SimulatedMeter[] | readonly LogicalDevice[]): readonly LogicalDevice[] {
  return meters.flatMap((each) => (each instanceof LogicalDevice ? [each] : logicalDevices([each], wrapperAddress)))
}
