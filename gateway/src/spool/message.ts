import { crc32 } from 'node:zlib'
import { AppError } from '@endeks/domain/errors'

export const lanes = ['live', 'backlog'] as const
export type Lane = (typeof lanes)[number]

/** Where messages wait: a lane of this spool's epoch, or what was taken over from a damaged spool, under that one's epoch and numbers. */
export const drawers = ['live', 'salvaged', 'backlog'] as const
export type Drawer = (typeof drawers)[number]

/** Beside a message: its place in the order of all drawers, and what can be known without parsing it. */
export interface Header {
  readonly order: number
  readonly readings: number
  readonly profiles: readonly string[]
  /** of the text: LevelDB hands out a table's damaged block without a word; of a spool older than this field, undefined */
  readonly crc?: number
}

export interface SpooledMessage {
  readonly drawer: Drawer
  readonly sequence: number
  /** the message's JSON as published */
  readonly text: string
  readonly readings: number
  /** hashes of the profiles that must be announced before it */
  readonly profiles: readonly string[]
  /** what it takes of the spool's limit */
  readonly bytes: number
}

export function messageKey(drawer: Drawer, sequence: number): string {
  return `message!${drawer}!${String(sequence).padStart(16, '0')}`
}

/** Sorts behind every message of the drawer. */
export function drawerEnd(drawer: Drawer): string {
  return `message!${drawer}~`
}

export function encodeMessage(header: Omit<Header, 'crc'>, text: string): string {
  return `${JSON.stringify({ ...header, crc: crc32(text) } satisfies Header)}\n${text}`
}

/** @throws {AppError} SPOOL_DAMAGED when it is not what was written */
export function decodeMessage(key: string, value: string): SpooledMessage & { readonly order: number } {
  const end = value.indexOf('\n')
  const [, drawer, digits] = key.split('!')
  const known = drawers.find((each) => each === drawer)
  const header = headerOf(value.slice(0, end))
  const text = value.slice(end + 1)
  if (header === undefined || known === undefined || (header.crc !== undefined && header.crc !== crc32(text)))
    throw new AppError('SPOOL_DAMAGED', `${key} is not what was written there`)
  const { order, readings, profiles } = header
  return { drawer: known, sequence: Number(digits), text, order, readings, profiles, bytes: Buffer.byteLength(value) }
}

function headerOf(text: string): Header | undefined {
  try {
    return JSON.parse(text) as Header
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return undefined
    throw thrown
  }
}
