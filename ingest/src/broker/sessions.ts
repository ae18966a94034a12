import type { GatewayId } from '@endeks/domain/identifiers'
import { type EpochMs, toIso } from '@endeks/domain/time'
import type { Client } from 'aedes'
import type { Admission } from './addresses.js'
import type { GuardedConnection } from './guarded-connection.js'
import { ConnectionCut } from './reasons.js'

/** What let a gateway in; when it no longer holds, the gateway must go. */
export type Proof =
  | { readonly kind: 'password'; readonly hash: string }
  | { readonly kind: 'certificate'; readonly fingerprint: string; readonly notAfter: EpochMs }

/** One connection of a gateway, from the moment that it is known to be its. */
export interface Session {
  readonly gateway: GatewayId
  readonly client: Client
  readonly connection: GuardedConnection
  readonly admission: Admission
  readonly proof: Proof
  readonly keepaliveMs: number
}

/** What lets gateways in at present. */
export interface LiveProofs {
  /** by gateway */
  passwordHashes(gateways: readonly GatewayId[]): Promise<ReadonlyMap<string, string>>
  /** of those given, the ones that are known and not revoked */
  fingerprints(fingerprints: readonly string[]): Promise<ReadonlySet<string>>
}

/** Half as long again as a client promised to be silent at most (MQTT 3.1.1, 3.1.2.10). */
const patience = 1.5
const readAtOnce = 1_000

/** The gateways that are connected, one connection each. */
export class Sessions {
  readonly #live = new Map<GatewayId, Session>()

  get size(): number {
    return this.#live.size
  }

  has(gateway: GatewayId): boolean {
    return this.#live.has(gateway)
  }

  *[Symbol.iterator](): IterableIterator<Session> {
    yield* this.#live.values()
  }

  /** The newer connection of a gateway is the right one: the older may be dead without our knowing. */
  open(session: Session): void {
    const older = this.#live.get(session.gateway)
    this.#live.delete(session.gateway)
    this.#live.set(session.gateway, session)
    // Told to Aedes, which would otherwise close it itself, and say nothing.
    older?.client.emit('error', new ConnectionCut('taken-over', 'another connection came under the name of this gateway'))
  }

  close(session: Session): void {
    if (this.#live.get(session.gateway) === session) this.#live.delete(session.gateway)
  }

  /** Stops reading from all of them. */
  hold(): void {
    for (const { connection } of this) connection.hold(true)
  }

  /**
   * Goes on reading, as long as `mayRead` says so: what the first of them brings may be too much already. The others are first
   * next time.
   */
  release(mayRead: () => boolean): void {
    for (const [gateway, session] of [...this.#live]) {
      if (!mayRead()) return
      if (this.#live.delete(gateway)) this.#live.set(gateway, session)
      session.connection.hold(false)
    }
  }

  /** Cuts those that said nothing for longer than they promised. */
  cutSilent(now: number): void {
    for (const { connection, keepaliveMs } of this) {
      if (connection.silentMs(now) <= keepaliveMs * patience) continue
      connection.destroy(
        new ConnectionCut('silent', `nothing was heard for one and a half times its keepalive of ${keepaliveMs / 1_000} s`)
      )
    }
  }

  /** Cuts those whose certificate is over. */
  cutExpired(now: EpochMs): void {
    for (const { proof, connection } of this) {
      if (proof.kind !== 'certificate' || proof.notAfter > now) continue
      connection.destroy(
        new ConnectionCut('certificate-expired', `its certificate expired at ${toIso(proof.notAfter)}; enrol the gateway again`)
      )
    }
  }

  /** Cuts those whose credential is revoked or another one by now. @throws what reading them throws: then nobody is cut */
  async cutRevoked(proofs: LiveProofs): Promise<void> {
    const sessions = [...this]
    for (let first = 0; first < sessions.length; first += readAtOnce) {
      const some = sessions.slice(first, first + readAtOnce)
      const [hashes, fingerprints] = await Promise.all([
        proofs.passwordHashes(some.flatMap(({ gateway, proof }) => (proof.kind === 'password' ? [gateway] : []))),
        proofs.fingerprints(some.flatMap(({ proof }) => (proof.kind === 'certificate' ? [proof.fingerprint] : [])))
      ])
      for (const { gateway, proof, connection } of some) {
        if (proof.kind === 'password' && hashes.get(gateway) !== proof.hash) {
          connection.destroy(new ConnectionCut('credential-revoked', 'its password was changed or revoked'))
        } else if (proof.kind === 'certificate' && !fingerprints.has(proof.fingerprint)) {
          connection.destroy(new ConnectionCut('certificate-revoked', 'its certificate was revoked'))
        }
      }
    }
  }
}
