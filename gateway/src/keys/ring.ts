import { join } from 'node:path'
import { AppError } from '@endeks/domain/errors'
import { newSalt, Sealer } from '@endeks/domain/process'
import type { Clock, EpochMs } from '@endeks/domain/time'
import { canonicalJson } from '../codec/canonical-json.js'
import { type KeyKind, keyKinds, type MeterKeys } from '../protocols/protocol.js'
import type { ImportedKeys } from './key-file/index.js'
import { mostVersions, type RingEntry, type RingFile, type RingPoint, readRing, writeRing } from './ring-file.js'

/** What may be shown of a meter's keys. */
export interface ListedKeys {
  readonly name: string
  readonly version: number
  readonly kinds: readonly KeyKind[]
  readonly importedAt: EpochMs
}

export interface ImportCounts {
  readonly added: number
  readonly changed: number
  readonly unchanged: number
}

export interface KeyRingOptions {
  /** the directory ENDEKS_KEYS */
  readonly directory: string
  /** ENDEKS_KEY_SECRET */
  readonly secret: string
  readonly clock: Clock
  /** called at the named points of a write; a test ends the process there */
  readonly at?: (point: RingPoint) => void
}

type Secrets = Partial<Record<KeyKind, Uint8Array>>
type Sealed = RingEntry['versions'][number]

/** The secrets stand behind an accessor of the class, so that neither JSON nor an inspector that comes by shows them. */
export class HeldKeys implements MeterKeys {
  readonly name: string
  readonly version: number
  readonly #secrets: Secrets

  constructor(name: string, version: number, secrets: Secrets) {
    this.name = name
    this.version = version
    this.#secrets = secrets
  }

  get secrets(): Readonly<Secrets> {
    return this.#secrets
  }
}

/**
 * The meters' keys, encrypted at rest and write-only: they go in by a maker's file and come out only to a driver or a codec.
 * A key that changes keeps its old versions, because evidence names the one it was ciphered with.
 */
export class KeyRing {
  readonly #path: string
  readonly #sealer: Sealer
  readonly #clock: Clock
  readonly #at: (point: RingPoint) => void
  readonly #salt: string
  readonly #entries: Map<string, RingEntry>
  #bytes: Buffer | undefined

  private constructor(options: KeyRingOptions, sealer: Sealer, file: Omit<RingFile, 'seal'>, bytes: Buffer | undefined) {
    this.#path = ringPath(options.directory)
    this.#sealer = sealer
    this.#clock = options.clock
    this.#at = options.at ?? (() => {})
    this.#salt = file.salt
    this.#entries = new Map(file.entries.map((entry) => [entry.name, entry]))
    this.#bytes = bytes
  }

  /** @throws {AppError} KEYS_UNREADABLE for another secret or a changed file: which of them, nobody can know */
  static async open(options: KeyRingOptions): Promise<KeyRing> {
    const path = ringPath(options.directory)
    const stored = await readRing(path)
    if (stored === undefined) {
      const salt = newSalt()
      const empty: Omit<RingFile, 'seal'> = { format: 'endeks-keys-1', salt: base64(salt), entries: [] }
      return new KeyRing(options, await Sealer.derive(options.secret, salt), empty, undefined)
    }
    const { seal, ...rest } = stored.file
    const sealer = await Sealer.derive(options.secret, fromBase64(rest.salt))
    if (sealer.open(fromBase64(seal), wholeContext(rest)) === undefined) throw unreadable(path)
    return new KeyRing(options, sealer, rest, stored.bytes)
  }

  has(name: string): boolean {
    return (this.#entries.get(name)?.current ?? 0) > 0
  }

  /** The keys of a meter in the version that is used; undefined for a name that there is none of. */
  keysOf(name: string): MeterKeys | undefined {
    const entry = this.#entries.get(name)
    const version = entry?.versions.find((each) => each.version === entry.current)
    return version === undefined ? undefined : new HeldKeys(name, version.version, this.#open(name, version))
  }

  list(): ListedKeys[] {
    const listed = [...this.#entries.values()].flatMap(({ name, current, versions }) =>
      versions
        .filter(({ version }) => version === current)
        .map(({ version, importedAt, secrets }) => ({
          name,
          version,
          kinds: keyKinds.filter((kind) => secrets[kind] !== undefined),
          importedAt: importedAt as EpochMs
        }))
    )
    return listed.sort((left, right) => (left.name < right.name ? -1 : 1))
  }

  /**
   * Takes all of them or none. Kinds that a file does not have stay as they were: a maker may send passwords in a file of their own.
   * Secrets that the meter had before get the version that they had then.
   *
   * @throws {AppError} KEYS_BUSY when another import came between
   */
  async import(keys: readonly ImportedKeys[]): Promise<ImportCounts> {
    const entries = new Map(this.#entries)
    const counts = { added: 0, changed: 0, unchanged: 0 }
    for (const each of keys) {
      const before = entries.get(each.name)
      const after = this.#merged(before, each)
      if (after === before) counts.unchanged += 1
      else if (before === undefined || before.current === 0) counts.added += 1
      else counts.changed += 1
      entries.set(each.name, after)
    }
    if (counts.added + counts.changed > 0) await this.#replace(entries)
    return counts
  }

  /** Removes every version of a meter's keys. @returns whether there were any */
  async remove(name: string): Promise<boolean> {
    const entry = this.#entries.get(name)
    if (entry === undefined || entry.current === 0) return false
    await this.#replace(new Map(this.#entries).set(name, { ...entry, current: 0, versions: [] }))
    return true
  }

  #merged(entry: RingEntry | undefined, { name, secrets }: ImportedKeys): RingEntry {
    const opened = (entry?.versions ?? []).map(({ version }) => ({ version, secrets: this.#openVersion(entry, version) }))
    const current = opened.find(({ version }) => version === entry?.current)
    const wanted: Secrets = { ...current?.secrets, ...secrets }
    if (entry !== undefined) {
      if (current !== undefined && same(current.secrets, wanted)) return entry
      const earlier = opened.find((each) => same(each.secrets, wanted))
      if (earlier !== undefined) return { ...entry, current: earlier.version }
    }
    const version = (entry?.last ?? 0) + 1
    const versions = [...(entry?.versions ?? []), this.#seal(name, version, wanted)]
    if (versions.length > mostVersions) {
      throw new AppError('KEY_FILE_INVALID', `${name} has had ${mostVersions} different keys: remove it first`, { name })
    }
    return { name, current: version, last: version, versions }
  }

  #openVersion(entry: RingEntry | undefined, version: number): Secrets {
    const sealed = entry?.versions.find((each) => each.version === version)
    return entry === undefined || sealed === undefined ? {} : this.#open(entry.name, sealed)
  }

  #open(name: string, { version, secrets }: Sealed): Secrets {
    const opened: Secrets = {}
    for (const kind of keyKinds) {
      const sealed = secrets[kind]
      if (sealed === undefined) continue
      const plain = this.#sealer.open(fromBase64(sealed), secretContext(name, version, kind))
      if (plain === undefined) throw unreadable(this.#path)
      opened[kind] = plain
    }
    return opened
  }

  #seal(name: string, version: number, secrets: Secrets): Sealed {
    const sealed: Sealed['secrets'] = {}
    for (const kind of keyKinds) {
      const plain = secrets[kind]
      if (plain !== undefined) sealed[kind] = base64(this.#sealer.seal(plain, secretContext(name, version, kind)))
    }
    return { version, importedAt: this.#clock.now(), secrets: sealed }
  }

  async #replace(entries: Map<string, RingEntry>): Promise<void> {
    const rest: Omit<RingFile, 'seal'> = { format: 'endeks-keys-1', salt: this.#salt, entries: [...entries.values()] }
    const file = { ...rest, seal: base64(this.#sealer.seal(new Uint8Array(), wholeContext(rest))) }
    this.#bytes = await writeRing(this.#path, { file, before: this.#bytes }, this.#at)
    this.#entries.clear()
    for (const [name, entry] of entries) this.#entries.set(name, entry)
  }
}

function ringPath(directory: string): string {
  return join(directory, 'ring.json')
}

function secretContext(name: string, version: number, kind: KeyKind): string[] {
  return ['meter key', name, String(version), kind]
}

function wholeContext(file: Omit<RingFile, 'seal'>): string[] {
  return ['key ring', canonicalJson(file)]
}

function unreadable(path: string): AppError {
  return new AppError('KEYS_UNREADABLE', `${path} does not open: either ENDEKS_KEY_SECRET is not its secret, or the file was changed`, {
    path
  })
}

function same(left: Secrets, right: Secrets): boolean {
  return keyKinds.every((kind) => {
    const [one, other] = [left[kind], right[kind]]
    return one === undefined || other === undefined ? one === other : Buffer.from(one).equals(other)
  })
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'base64'))
}
