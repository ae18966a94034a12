import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { modbus } from '../../src/codec/index.js'
import { profile } from '../protocols/modbus/profile.js'

/** The logger of the Modbus tests, with a valve, a credit and a clock that are written. */
export const valveProfile = {
  ...profile,
  name: 'valve-logger',
  commands: {
    valve: { function: 5, address: 3, open: 0, closed: 1 },
    credit: { function: 16, address: 200, type: 'u32', scaler: -3, unit: 'm3' },
    'set-clock': { address: 300, type: 'datetime-bcd' }
  }
} as const

export async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** Units behind a converter that take what is written and say it back. */
export class Units {
  readonly writes: (modbus.Write & { readonly unit: number })[] = []
  /** an exception in the place of any answer to a write; `silent`: none comes, though it was done */
  refusal: number | 'silent' | undefined
  readonly #coils = new Set<string>()
  readonly server: Server = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (bytes) => {
      const adu = modbus.parseAdu(bytes, 0)
      if (!adu.ok) return
      const answer = this.#answer(adu.value)
      if (answer !== undefined) socket.write(modbus.encodeAdu(adu.value.transaction, adu.value.unit, answer))
    })
  })

  #answer(request: modbus.Frame): Uint8Array | undefined {
    const { unit } = request
    const write = modbus.parseWriteRequest(request)
    if (write.ok) {
      if (typeof this.refusal === 'number') return modbus.encodeException(request.pdu[0] ?? 0, this.refusal)
      this.writes.push({ unit, ...write.value })
      if (write.value.function === 5) this.#set(`${unit}/${write.value.address}`, write.value.words[0] === 1)
      return this.refusal === 'silent' ? undefined : modbus.writeResponse(request)
    }
    const range = modbus.parseReadRequest(request)
    if (!range.ok) return modbus.encodeException(request.pdu[0] ?? 0, 1)
    const { function: code, address, count } = range.value
    if (code === 1) return modbus.encodeBitsResponse(code, [this.#coils.has(`${unit}/${address}`)])
    const identity = [0x4142, 0x3132, 0x3300, 0, 1, 0xe240]
    const words = Array.from({ length: count }, (_, index) => (code === 4 ? 1_234 : (identity[address + index] ?? 0)))
    return modbus.encodeReadResponse(code, words)
  }

  #set(coil: string, on: boolean): void {
    if (on) this.#coils.add(coil)
    else this.#coils.delete(coil)
  }
}
