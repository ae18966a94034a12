import { randomBytes } from 'node:crypto'
import { chmod, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { AppError, asError, withCode } from '@endeks/domain/errors'
import Type, { type Static } from 'typebox'
import { Compile } from 'typebox/compile'
import { keyKinds } from '../protocols/protocol.js'
import { keyNamePattern } from './key-file/index.js'

const strict = { additionalProperties: false } as const
const mostNames = 100_000
export const mostVersions = 100
const mostFileBytes = 128 * 1_048_576
const Base64 = Type.String({ pattern: '^[A-Za-z0-9+/]*={0,2}$', maxLength: 256 })

const Version = Type.Object(
  {
    version: Type.Integer({ minimum: 1, maximum: 2_147_483_647 }),
    importedAt: Type.Integer({ minimum: 0 }),
    secrets: Type.Partial(Type.Record(Type.Enum([...keyKinds]), Base64))
  },
  strict
)

const RingSchema = Type.Object(
  {
    /** what is sealed how: AES-256-GCM under a key by scrypt */
    format: Type.Literal('endeks-keys-1'),
    salt: Base64,
    entries: Type.Array(
      Type.Object(
        {
          name: Type.String({ pattern: keyNamePattern }),
          /** the version that is used; 0 where the keys were removed */
          current: Type.Integer({ minimum: 0 }),
          /** the highest that there ever was: evidence may name it, so it is not given to other secrets */
          last: Type.Integer({ minimum: 1 }),
          versions: Type.Array(Version, { maxItems: mostVersions })
        },
        strict
      ),
      { maxItems: mostNames }
    ),
    /** the tag over everything above: tells a wrong secret or a changed file before any of it is used */
    seal: Base64
  },
  strict
)
export type RingFile = Static<typeof RingSchema>
export type RingEntry = RingFile['entries'][number]

const validator = Compile(RingSchema)

/** A ring as it lies on the disk, with its bytes, by which a later write sees whether somebody else wrote in between. */
export interface StoredRing {
  readonly file: RingFile
  readonly bytes: Buffer
}

/** @returns undefined where there is none yet; @throws {AppError} KEYS_UNREADABLE */
export async function readRing(path: string): Promise<StoredRing | undefined> {
  const bytes = await bytesOf(path)
  if (bytes === undefined) return undefined
  const value = parseJson(bytes)
  if (!validator.Check(value)) throw new AppError('KEYS_UNREADABLE', `${path} is damaged: restore it from a copy`, { path })
  return { file: value, bytes }
}

async function bytesOf(path: string): Promise<Buffer | undefined> {
  try {
    const { size } = await stat(path)
    if (size <= mostFileBytes) return await readFile(path)
  } catch (thrown) {
    const error = asError(thrown)
    if ('code' in error && error.code === 'ENOENT') return undefined
    throw new AppError('KEYS_UNREADABLE', `${path} can't be read: ${error.message}`, { path }, thrown)
  }
  throw new AppError('KEYS_UNREADABLE', `${path} has more than ${mostFileBytes} bytes`, { path })
}

/** The text is not told, nor the parser's message that quotes it. */
function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return undefined
    throw thrown
  }
}

export type RingPoint = 'keys.before' | 'keys.written' | 'keys.replaced'

/**
 * Replaces the ring: whoever is killed at any point leaves the old one or the new one, whole.
 *
 * @returns the bytes that lie there now
 * @throws {AppError} KEYS_BUSY where that is no longer what lies there
 */
export async function writeRing(
  path: string,
  ring: { readonly file: RingFile; readonly before: Buffer | undefined },
  at: (point: RingPoint) => void
): Promise<Buffer> {
  const bytes = Buffer.from(`${JSON.stringify(ring.file)}\n`)
  const directory = dirname(path)
  const temporary = `${path}.${randomBytes(6).toString('hex')}.new`
  await withCode('KEYS_UNREADABLE', `${directory} can't be written`, async () => {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    await removeLeftovers(path)
    at('keys.before')
    const handle = await open(temporary, 'wx', 0o600)
    try {
      await handle.writeFile(bytes)
      await handle.sync()
    } finally {
      await handle.close()
    }
    // The process's mask may have taken more from the mode than meant, never less; this makes it exact.
    await chmod(temporary, 0o600)
    at('keys.written')
    const now = await bytesOf(path)
    const same = now === undefined || ring.before === undefined ? now === ring.before : ring.before.equals(now)
    if (!same) await rm(temporary, { force: true })
    if (!same || !(await renamed(temporary, path))) {
      throw new AppError('KEYS_BUSY', `${path} was changed by another import at the same time: do this one again`, { path })
    }
    await syncDirectory(directory)
    at('keys.replaced')
  })
  return bytes
}

/** @returns false where another writer took the new file for a leftover */
async function renamed(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to)
    return true
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return false
    throw thrown
  }
}

/** What writers that were killed have left holds nothing that is not in the ring or in the file that was to be imported. */
async function removeLeftovers(path: string): Promise<void> {
  const directory = dirname(path)
  const names = await readdir(directory)
  const left = names.map((name) => join(directory, name)).filter((name) => name.startsWith(`${path}.`) && name.endsWith('.new'))
  for (const name of left) await rm(name, { force: true })
}

/** The name is on disk only when the directory is. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
