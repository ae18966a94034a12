import assert from 'node:assert/strict'
import { join } from 'node:path'
import { AppError } from '@endeks/domain/errors'
import { newSalt, Sealer } from '@endeks/domain/process'
import type { Clock, EpochMs } from '@endeks/domain/time'
import { canonicalJson } from '../codec/canonical-json.js'
import { type KeyKind, keyKinds, type MeterKeys } from '../protocols/protocol.js'
import type { ImportedKeys } from './key-file/index.js'
import { mostVersions, type RingEntry, type RingFile, type RingPoint, readRing, writeRing } from './ring-file.js'
import { changeOf, HeldKeys, type KeyHistory, openSecrets, type Secrets, sealSecrets } from './secrets.js'

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
  /** `Sealer.derive`, which takes a core for a while; a test that opens a ring again and again keeps what it gave */
  readonly derive?: typeof Sealer.derive
}

const noHistory: KeyHistory = { current: 0, last: 0, versions: [] }

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
    const derive = options.derive ?? Sealer.derive
    const stored = await readRing(path)
    if (stored === undefined) {
      const salt = newSalt()
      const empty: Omit<RingFile, 'seal'> = { format: 'endeks-keys-1', salt: base64(salt), entries: [] }
      return new KeyRing(options, await derive(options.secret, salt), empty, undefined)
    }
    const { seal, ...rest } = stored.file
    const sealer = await derive(options.secret, fromBase64(rest.salt))
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
    return version === undefined ? undefined : new HeldKeys({ name, version: version.version }, this.#open(name, version))
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
   * Takes all of them or none, each as `changeOf` says.
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
    const change = changeOf(entry === undefined ? noHistory : this.#historyOf(entry), secrets)
    if (entry !== undefined && change.kind === 'unchanged') return entry
    if (entry !== undefined && change.kind === 'earlier') return { ...entry, current: change.version }
    assert(change.kind === 'new', 'without a history every secret is new')
    const { version } = change
    const sealed = eachSecret(sealSecrets(this.#sealer, { name, version }, change.secrets), base64)
    const versions = [...(entry?.versions ?? []), { version, importedAt: this.#clock.now(), secrets: sealed }]
    if (versions.length > mostVersions) {
      throw new AppError('KEY_FILE_INVALID', `${name} has had ${mostVersions} different keys: remove it first`, { name })
    }
    return { name, current: version, last: version, versions }
  }

  #historyOf(entry: RingEntry): KeyHistory {
    return { ...entry, versions: entry.versions.map((each) => ({ version: each.version, secrets: this.#open(entry.name, each) })) }
  }

  #open(name: string, { version, secrets }: RingEntry['versions'][number]): Secrets {
    const opened = openSecrets(this.#sealer, { name, version }, eachSecret(secrets, fromBase64))
    if (opened === undefined) throw unreadable(this.#path)
    return opened
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

function wholeContext(file: Omit<RingFile, 'seal'>): string[] {
  return ['key ring', canonicalJson(file)]
}

function unreadable(path: string): AppError {
  return new AppError('KEYS_UNREADABLE', `${path} does not open: either ENDEKS_KEY_SECRET is not its secret, or the file was changed`, {
    path
  })
}

function eachSecret<From, To>(secrets: Partial<Record<KeyKind, From>>, convert: (secret: From) => To): Partial<Record<KeyKind, To>> {
  const converted: Partial<Record<KeyKind, To>> = {}
  for (const kind of keyKinds) {
    const secret = secrets[kind]
    if (secret !== undefined) converted[kind] = convert(secret)
  }
  return converted
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'base64'))
}
