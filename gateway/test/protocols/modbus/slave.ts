import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { type EpochMs, fromIso } from '@endeks/domain/time'
import type { Test } from 'tap'
import { modbusProtocol } from '../../../src/protocols/modbus/driver.js'
import type { Bus, ReadJob } from '../../../src/protocols/protocol.js'
import { memoryCounters } from '../../support/memory-counters.js'
import { profile } from './profile.js'

export const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replace(/\s/g, ''), 'hex'))

/** What a device does with one request: the chunks that it sends, each so long after the one before. */
export type Reaction = (request: Buffer, socket: Socket) => void

/** A device that reacts to each request in turn, the last reaction again and again. Tells what it was asked. */
export interface Slave {
  readonly port: number
  readonly requests: string[]
  readonly connections: () => number
}

export async function startSlave(t: Test, ...reactions: Reaction[]): Promise<Slave> {
  const requests: string[] = []
  let connections = 0
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    connections += 1
    sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('error', () => {})
    socket.on('data', (request) => {
      requests.push(request.toString('hex'))
      const reaction = reactions.length > 1 ? reactions.shift() : reactions[0]
      reaction?.(request, socket)
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { port: portOf(server), requests, connections: () => connections }
}

export function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** A clock that a test sets. */
export function settableClock(): { now(): EpochMs; add(ms: number): void } {
  let at: number = fromIso('2026-03-05T09:00:00Z')
  return {
    now: () => at as EpochMs,
    add: (ms) => {
      at += ms
    }
  }
}

export function openBus(t: Test, entry: unknown, options: { answerWithinMs?: number; clock?: { now(): EpochMs } } = {}): Bus {
  const clock = options.clock ?? settableClock()
  const bus = modbusProtocol.open(entry, { clock, answerWithinMs: options.answerWithinMs ?? 2_000, counters: memoryCounters() })
  t.teardown(() => bus.close())
  return bus
}

export function job(options: { address?: string; profile?: unknown; history?: boolean; signal?: AbortSignal } = {}): ReadJob {
  return {
    address: options.address ?? '17',
    profile: options.profile ?? profile,
    zone: 'Europe/Istanbul',
    want: options.history === true ? { kind: 'history', since: 0 as EpochMs } : { kind: 'current' },
    signal: options.signal ?? new AbortController().signal
  }
}
