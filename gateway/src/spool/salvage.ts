import { existsSync, writeFileSync } from 'node:fs'
import { copyFile, link, mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { asError, isAppError } from '@endeks/domain/errors'
import type { Log } from '@endeks/domain/process'
import { ClassicLevel } from 'classic-level'
import type { KillPoint } from '../kill-points.js'
import { type Database, openDatabase } from './database.js'
import type { Loss } from './losses.js'
import { decodeMessage, type SpooledMessage } from './message.js'
import { asideNames } from './opening.js'

/** What can be read of a damaged spool, a part at a time. */
export interface Salvage {
  readonly messages: readonly SpooledMessage[]
  readonly profiles: readonly { readonly hash: string; readonly content: string }[]
  readonly losses: readonly Loss[]
}

export interface SalvageOptions {
  readonly directory: string
  readonly log: Log
  readonly killPoint: KillPoint
  /** makes it durable; false when the disk is full */
  readonly keep: (salvage: Salvage) => Promise<boolean>
}

const doneMark = 'taken-over'
const partSize = 100

/**
 * Takes over what can be read of every damaged spool that is kept beside this one and was not taken over yet. History marks are not: which
 * stored values went out cannot be told any more, so they are read again. What is killed in between is done again, and a message that is
 * there twice changes nothing.
 */
export async function salvageAll(options: SalvageOptions): Promise<void> {
  for (const aside of asideNames(options.directory)) {
    if (existsSync(aside) && !existsSync(join(aside, doneMark))) await salvage(aside, options)
  }
}

async function salvage(aside: string, { directory, log, killPoint, keep }: SalvageOptions): Promise<void> {
  const workplace = `${directory}-salvage`
  let found: { messages: number; readings: number; damaged: number } | undefined
  try {
    await copyInto(workplace, aside)
    // It writes the list of tables anew from those that are there, and leaves out what it cannot read.
    await ClassicLevel.repair(workplace)
    const database = await openDatabase(workplace)
    found = await takeOver(database, keep)
    await database.close()
  } catch (thrown) {
    // Whatever a damaged spool does, the gateway goes on with a new one, and the damaged one stays.
    log.error('spool not taken over', { code: 'SPOOL_DAMAGED', keptAs: aside, message: asError(thrown).message })
  } finally {
    await rm(workplace, { recursive: true, force: true })
  }
  if (found === undefined) return
  killPoint('damage.salvaged')
  writeFileSync(join(aside, doneMark), `${JSON.stringify(found)}\n`, { flush: true })
  log.warn('spool taken over', { code: 'SPOOL_DAMAGED', keptAs: aside, ...found })
}

/** LevelDB never changes a file that is whole, so that a second name for it does, where the file system has such. */
async function copyInto(workplace: string, from: string): Promise<void> {
  await rm(workplace, { recursive: true, force: true })
  await mkdir(workplace)
  for (const name of await readdir(from)) {
    if (!/\.(ldb|sst|log)$|^MANIFEST|^CURRENT$/.test(name)) continue
    await link(join(from, name), join(workplace, name)).catch(() => copyFile(join(from, name), join(workplace, name)))
  }
}

/** @returns undefined when there was no room for it */
async function takeOver(database: Database, keep: SalvageOptions['keep']) {
  const profiles: { hash: string; content: string }[] = []
  for await (const [key, content] of database.iterator({ gt: 'profile!', lt: 'profile~' })) profiles.push({ hash: key.slice(8), content })
  const losses = (await database.values({ gt: 'lost!', lt: 'lost~' }).all()).map((text) => JSON.parse(text) as Loss)
  if (!(await keep({ messages: [], profiles, losses }))) return undefined
  const found = { messages: 0, readings: 0, damaged: 0 }
  let part: SpooledMessage[] = []
  for await (const [key, value] of database.iterator({ gt: 'message!', lt: 'message~' })) {
    const message = decoded(key, value)
    if (message === undefined) found.damaged += 1
    else {
      part.push(message)
      found.messages += 1
      found.readings += message.readings
    }
    if (part.length < partSize) continue
    if (!(await keep({ messages: part, profiles: [], losses: [] }))) return undefined
    part = []
  }
  if (part.length > 0 && !(await keep({ messages: part, profiles: [], losses: [] }))) return undefined
  return found
}

function decoded(key: string, value: string): SpooledMessage | undefined {
  try {
    return decodeMessage(key, value)
  } catch (thrown) {
    if (!isAppError(thrown, 'SPOOL_DAMAGED')) throw thrown
    return undefined
  }
}
