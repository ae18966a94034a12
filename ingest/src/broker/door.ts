import { constants } from 'node:crypto'
import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from 'node:tls'
import { AppError } from '@endeks/domain/errors'
import type { Addresses, Admission } from './addresses.js'
import { faultPoints } from './addresses.js'
import { type PeerCertificate, peerCertificate } from './peer-certificate.js'
import { ConnectionCut, type RefusalReason } from './reasons.js'
import type { TlsMaterial } from './tls-files.js'

export interface DoorLimits {
  /** under way at once, in all and with one address; the others wait, unread, and count as pending */
  readonly handshakesAtOnce: number
  readonly handshakesPerAddress: number
  readonly handshakeWithinMs: number
}

export const defaultDoorLimits: DoorLimits = { handshakesAtOnce: 1_000, handshakesPerAddress: 250, handshakeWithinMs: 10_000 }

const leaveWithinMs = 1_000

/** A connection that was let in as far as its CONNECT. */
export interface Arrival {
  readonly socket: Socket
  readonly admission: Admission
  readonly secure: boolean
  /** that it has shown; undefined without one */
  readonly certificate: PeerCertificate | undefined
}

export interface DoorDependencies {
  readonly addresses: Addresses
  readonly limits: DoorLimits
  readonly arrived: (arrival: Arrival) => void
  readonly refused: (reason: RefusalReason, address: string) => void
  readonly handshakeFailed: (address: string, error: Error) => void
}

interface Waiting {
  readonly socket: Socket
  readonly admission: Admission
}

/** Listens, counts by address before anything is read, and sees TLS handshakes through, a bounded number at a time. */
export class Door {
  readonly #dependencies: DoorDependencies
  readonly #listeners: Server[] = []
  readonly #sockets = new Set<Socket>()
  readonly #waiting: Waiting[] = []
  /** by where they come from, which is all that the raw and the secured socket have in common */
  readonly #handshakes = new Map<string, Waiting>()
  #tls: TlsServer | undefined

  constructor(dependencies: DoorDependencies) {
    this.#dependencies = dependencies
  }

  /** @throws {AppError} PORT_TAKEN */
  listenPlain(host: string, port: number): Promise<number> {
    return this.#listen({ host, port, setting: 'ENDEKS_MQTT_PORT' }, (socket, admission) => {
      this.#dependencies.arrived({ socket, admission, secure: false, certificate: undefined })
    })
  }

  /** @throws {AppError} PORT_TAKEN */
  listenTls(host: string, port: number, material: TlsMaterial): Promise<number> {
    const { handshakeWithinMs: handshakeTimeout } = this.#dependencies.limits
    this.#tls = createTlsServer({
      ...material.context,
      handshakeTimeout,
      minVersion: 'TLSv1.2',
      // Judged by us: who shows none may have a password, and who shows an expired one is told so.
      requestCert: true,
      rejectUnauthorized: false,
      // A resumed session would not have its certificate checked again.
      secureOptions: constants.SSL_OP_NO_TICKET
    })
    this.#tls.on('secureConnection', (socket) => this.#secured(socket))
    this.#tls.on('tlsClientError', (error, socket) => this.#failed(socket, error))
    return this.#listen({ host, port, setting: 'ENDEKS_MQTTS_PORT' }, (socket, admission) => {
      // Whoever says nothing takes no place: a handshake begins with what he sends, which stays in the socket for it.
      const late = setTimeout(() => {
        admission.fault(faultPoints.late)
        this.#dependencies.handshakeFailed(admission.address, new ConnectionCut('handshake', `nothing came within ${handshakeTimeout} ms`))
        socket.destroy()
      }, handshakeTimeout)
      socket.once('close', () => clearTimeout(late))
      socket.once('readable', () => {
        clearTimeout(late)
        this.#waiting.push({ socket, admission })
        this.#shakeHands()
      })
    })
  }

  /** Handshakes from now on show the new certificate; connections that live are not touched. */
  renew(material: TlsMaterial): void {
    this.#tls?.setSecureContext({ ...material.context, minVersion: 'TLSv1.2', secureOptions: constants.SSL_OP_NO_TICKET })
  }

  stopListening(): void {
    for (const listener of this.#listeners) listener.close()
  }

  /** What was written last still leaves, if it is read; what is left then is thrown away. */
  async close(): Promise<void> {
    this.stopListening()
    for (const { socket } of this.#waiting) socket.destroy()
    for (const { socket } of this.#handshakes.values()) socket.destroy()
    const leave = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy()
    }, leaveWithinMs)
    await Promise.all([...this.#sockets].map((socket) => new Promise<void>((resolve) => socket.once('close', () => resolve()))))
    clearTimeout(leave)
  }

  #listen(
    where: { readonly host: string; readonly port: number; readonly setting: string },
    take: (socket: Socket, admission: Admission) => void
  ): Promise<number> {
    const { host, port, setting } = where
    // Without TCP_NODELAY an acknowledgement waits for the next packet: p50 10 ms instead of 2.
    const server = createServer({ noDelay: true, pauseOnConnect: true }, (socket) => this.#admit(socket, take))
    this.#listeners.push(server)
    return new Promise((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) => {
        const taken = error.code === 'EADDRINUSE'
        const text = `${host}:${port} is taken by another program; set ${setting} to a free port, or stop it`
        reject(taken ? new AppError('PORT_TAKEN', text, { port, setting }, error) : error)
      })
      server.listen({ host, port, backlog: 1_024 }, () => {
        const address = server.address()
        if (address === null || typeof address === 'string') reject(new AppError('INTERNAL', 'the broker has no port'))
        else resolve(address.port)
      })
    })
  }

  #admit(socket: Socket, take: (socket: Socket, admission: Admission) => void): void {
    const remote = socket.remoteAddress ?? 'unknown'
    const admission = this.#dependencies.addresses.admit(remote, () => {
      this.#dependencies.refused('held-off', remote)
      socket.destroy()
    })
    // What breaks before somebody listens must not end the process.
    socket.on('error', () => undefined)
    if (typeof admission === 'string') {
      this.#dependencies.refused(admission, remote)
      socket.resetAndDestroy()
      return
    }
    const key = keyOf(socket)
    this.#sockets.add(socket)
    socket.once('close', () => {
      this.#sockets.delete(socket)
      admission.release()
      this.#settle(key)
    })
    take(socket, admission)
  }

  #shakeHands(): void {
    const { handshakesAtOnce, handshakesPerAddress } = this.#dependencies.limits
    while (this.#handshakes.size < handshakesAtOnce) {
      // Whoever opens many and says nothing waits for his own, and nobody for him.
      const index = this.#waiting.findIndex(({ admission }) => this.#handshakesOf(admission.address) < handshakesPerAddress)
      const [next] = index === -1 ? [] : this.#waiting.splice(index, 1)
      if (next === undefined) return
      if (next.socket.destroyed) continue
      this.#handshakes.set(keyOf(next.socket), next)
      this.#tls?.emit('connection', next.socket)
    }
  }

  #handshakesOf(address: string): number {
    let count = 0
    for (const { admission } of this.#handshakes.values()) if (admission.address === address) count += 1
    return count
  }

  #secured(socket: TLSSocket): void {
    const known = this.#settle(keyOf(socket))
    if (known === undefined) {
      socket.destroy()
      return
    }
    let certificate: PeerCertificate | undefined
    try {
      certificate = peerCertificate(socket)
    } catch (thrown) {
      // No certificate that somebody shows may end the process.
      this.#dependencies.handshakeFailed(
        known.admission.address,
        new AppError('CONFIG_INVALID', 'its certificate cannot be read', {}, thrown)
      )
      socket.destroy()
      return
    }
    this.#dependencies.arrived({ socket, admission: known.admission, secure: true, certificate })
  }

  #failed(socket: TLSSocket, error: Error): void {
    const known = this.#settle(keyOf(socket))
    known?.admission.fault(faultPoints.handshake)
    this.#dependencies.handshakeFailed(known?.admission.address ?? 'unknown', error)
    socket.destroy()
  }

  #settle(key: string): Waiting | undefined {
    const known = this.#handshakes.get(key)
    if (known === undefined) return undefined
    this.#handshakes.delete(key)
    this.#shakeHands()
    return known
  }
}

function keyOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort} ${socket.localPort}`
}
