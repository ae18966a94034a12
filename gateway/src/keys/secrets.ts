import type { Sealer } from '@endeks/domain/process'
import { type KeyKind, keyKinds, type MeterKeys } from '../protocols/protocol.js'

export type Secrets = Partial<Record<KeyKind, Uint8Array>>

/** Whose secrets they are: part of what is sealed, so that none can be put in another's place. */
export interface KeyLabel {
  readonly name: string
  readonly version: number
}

/** The secrets stand behind an accessor of the class, so that neither JSON nor an inspector that comes by shows them. */
export class HeldKeys implements MeterKeys {
  readonly name: string
  readonly version: number
  readonly #secrets: Secrets

  constructor({ name, version }: KeyLabel, secrets: Secrets) {
    this.name = name
    this.version = version
    this.#secrets = secrets
  }

  get secrets(): Readonly<Secrets> {
    return this.#secrets
  }
}

export function sealSecrets(sealer: Sealer, label: KeyLabel, secrets: Secrets): Secrets {
  const sealed: Secrets = {}
  for (const kind of keyKinds) {
    const plain = secrets[kind]
    if (plain !== undefined) sealed[kind] = sealer.seal(plain, contextOf(label, kind))
  }
  return sealed
}

/** @returns undefined where one does not open: another secret of the process, or changed bytes */
export function openSecrets(sealer: Sealer, label: KeyLabel, sealed: Secrets): Secrets | undefined {
  const opened: Secrets = {}
  for (const kind of keyKinds) {
    const bytes = sealed[kind]
    if (bytes === undefined) continue
    const plain = sealer.open(bytes, contextOf(label, kind))
    if (plain === undefined) return undefined
    opened[kind] = plain
  }
  return opened
}

function contextOf({ name, version }: KeyLabel, kind: KeyKind): string[] {
  return ['meter key', name, String(version), kind]
}

/** What a meter's secrets were. */
export interface KeyHistory {
  /** the version that is used; 0 where there is none */
  readonly current: number
  /** the highest that there ever was: evidence may name it, so it is not given to other secrets */
  readonly last: number
  readonly versions: readonly { readonly version: number; readonly secrets: Secrets }[]
}

export type KeyChange =
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'earlier'; readonly version: number }
  | { readonly kind: 'new'; readonly version: number; readonly secrets: Secrets }

/**
 * What an import makes of a meter's secrets. Kinds that it does not have stay as they were: a maker may send passwords in a file of
 * their own. Secrets that the meter had before get the version that they had then. The gateway and the API both number by this,
 * so the same files in the same order give the same versions.
 */
export function changeOf(history: KeyHistory, given: Secrets): KeyChange {
  const current = history.versions.find(({ version }) => version === history.current)
  const secrets = { ...current?.secrets, ...given }
  if (current !== undefined && same(current.secrets, secrets)) return { kind: 'unchanged' }
  const earlier = history.versions.find((each) => same(each.secrets, secrets))
  return earlier === undefined ? { kind: 'new', version: history.last + 1, secrets } : { kind: 'earlier', version: earlier.version }
}

function same(left: Secrets, right: Secrets): boolean {
  return keyKinds.every((kind) => {
    const [one, other] = [left[kind], right[kind]]
    return one === undefined || other === undefined ? one === other : Buffer.from(one).equals(other)
  })
}
