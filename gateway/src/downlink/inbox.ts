import { AppError } from '@endeks/domain/errors'
import type { Log } from '@endeks/domain/process'
import type { Clock } from '@endeks/domain/time'
import { type AckMessage, parseAckMessage, parseCommandMessage, repeatableKinds, wireVersion } from '@endeks/domain/wire'
import type { KillPoint } from '../kill-points.js'
import { Turns } from '../protocols/turns.js'
import { type Database, openDatabase, troubleOf, wordsOf } from '../spool/database.js'
import type { Answer, CommandDesk } from '../uplink/command-line.js'
import { type KeptCommand, keptCommand } from './kept-command.js'

export interface InboxOptions {
  readonly directory: string
  readonly clock: Clock
  readonly log: Log
  readonly killPoint?: KillPoint
  /** commands that are not over, their answers acknowledged: beyond it others are refused; 1,000 unless told */
  readonly most?: number
}

const usualMost = 1_000
/** Of commands whose answer is acknowledged so many are remembered: one that was on its way again meanwhile is known. */
const rememberedMost = 1_000
/** Answers to what is not kept: the oldest go, and the command comes again. */
const refusalsMost = 100
const messageBytes = 65_536

/**
 * Commands on disk, from before their receipt is acknowledged until after their answer is. A command is known by its id,
 * however often it comes.
 */
export class Inbox implements CommandDesk {
  readonly #options: InboxOptions
  readonly #level: Database
  /** in the order in which they came */
  readonly #commands = new Map<string, KeptCommand>()
  readonly #refusals = new Map<string, string>()
  readonly #answerListeners = new Set<() => void>()
  #onCommand: (command: KeptCommand) => void = () => {}
  readonly #turns = new Turns()
  #nextOrder = 1

  private constructor(options: InboxOptions, level: Database) {
    this.#options = options
    this.#level = level
  }

  /**
   * Opens the inbox; what was under way when the process ended is decided here.
   *
   * @returns undefined where it can't be read: without what it remembers a valve could be moved twice, so that no command is
   *   taken until a person has looked; readings go on
   * @throws {AppError} DATA_DIRECTORY_IN_USE when another process has it
   */
  static async open(options: InboxOptions): Promise<Inbox | undefined> {
    const { directory, log } = options
    try {
      const inbox = new Inbox(options, await openDatabase(directory))
      await inbox.#load()
      return inbox
    } catch (thrown) {
      if (troubleOf(thrown) === 'locked')
        throw new AppError('DATA_DIRECTORY_IN_USE', `the commands in ${directory} are in use: by another gateway?`, { directory }, thrown)
      log.error('no command is taken: what was done already can not be read; remove the directory once nothing is under way any more', {
        directory,
        message: wordsOf(thrown)
      })
      return undefined
    }
  }

  /** Hands over what waits, the oldest first, and from now on each command that comes. */
  deliverTo(listener: (command: KeptCommand) => void): void {
    this.#onCommand = listener
    for (const command of this.#commands.values()) if (command.state === 'waiting') listener(command)
  }

  /** One after the other: of two connections that bring the same command, the second finds what the first has kept. */
  receive(payload: Uint8Array): Promise<void> {
    return this.#turns.take(() => this.#take(payload))
  }

  async #take(payload: Uint8Array): Promise<void> {
    const text = Buffer.from(payload.subarray(0, messageBytes)).toString('utf8')
    const parsed = parseCommandMessage(text)
    if (!parsed.ok) return this.#refuseUnread(text, parsed.error.code, parsed.error.message)
    const message = parsed.value
    const known = this.#commands.get(message.id)
    if (known !== undefined) return this.#again(known)
    const open = [...this.#commands.values()].filter((each) => !each.acknowledged).length
    const most = this.#options.most ?? usualMost
    if (open >= most) return this.#refuse(message.id, 'COMMAND_TOO_MANY', `${most} commands wait here already`)
    this.#options.killPoint?.('command.received')
    const command = keptCommand(message, { order: this.#nextOrder, now: this.#options.clock.now() })
    this.#nextOrder += 1
    await this.#write(command)
    this.#commands.set(message.id, command)
    this.#options.killPoint?.('command.kept')
    this.#onCommand(command)
  }

  /** Notes that the meter is about to be told. @throws when that can't be noted */
  async start(command: KeptCommand): Promise<void> {
    await this.#write({ ...command, state: 'started' })
    command.state = 'started'
    this.#options.killPoint?.('command.started')
  }

  /** What became of it. Where it can't be written, it is said all the same, as long as the process lives. */
  async finish(command: KeptCommand, outcome: Pick<AckMessage, 'state' | 'code' | 'message' | 'result'>): Promise<void> {
    this.#options.killPoint?.('command.executed')
    command.answer = { v: wireVersion, id: command.message.id, ...bounded(outcome), at: this.#options.clock.now() }
    command.state = 'finished'
    await this.#write(command).catch((thrown: unknown) => {
      this.#options.log.error('the end of a command could not be kept', { id: command.message.id, error: thrown })
    })
    this.#options.killPoint?.('command.answered')
    this.#announce()
  }

  nextAnswer(): Answer | undefined {
    for (const [id, text] of this.#refusals) return { id, text }
    for (const { message, answer, acknowledged } of this.#commands.values()) {
      if (answer !== undefined && !acknowledged) return { id: message.id, text: JSON.stringify(answer) }
    }
    return undefined
  }

  async acknowledged({ id, text }: Answer): Promise<void> {
    if (this.#refusals.get(id) === text) {
      this.#refusals.delete(id)
      return
    }
    const command = this.#commands.get(id)
    if (command === undefined) return
    this.#options.killPoint?.('answer.acknowledged')
    command.acknowledged = true
    // Not synced: an answer that is sent once more changes nothing.
    await this.#level.put(keyOf(command), JSON.stringify(command)).catch(() => {})
    await this.#forgetOldest()
  }

  onAnswer(listener: () => void): () => void {
    this.#answerListeners.add(listener)
    return () => this.#answerListeners.delete(listener)
  }

  async close(): Promise<void> {
    await this.#level.close()
  }

  async #load(): Promise<void> {
    for await (const value of this.#level.values({ gt: 'command!', lt: 'command~' })) {
      const command = JSON.parse(value) as KeptCommand
      this.#commands.set(command.message.id, command)
      this.#nextOrder = command.order + 1
    }
    for (const command of this.#commands.values()) {
      if (command.state !== 'started') continue
      const { kind, id } = command.message
      this.#options.log.warn('a command was interrupted', { id, kind })
      if (repeatableKinds.has(kind)) command.state = 'waiting'
      else {
        await this.finish(command, {
          state: 'failed',
          code: 'COMMAND_INTERRUPTED',
          message: 'the gateway ended while it told the meter, which may have done it: read the meter before it is told again'
        })
      }
    }
  }

  /** Its sender has no answer yet. */
  #again(command: KeptCommand): void {
    if (command.answer === undefined) return
    command.acknowledged = false
    this.#announce()
  }

  #refuseUnread(text: string, code: string, message: string): void {
    const id = /"id"\s*:\s*"([0-9a-f-]{36})"/.exec(text)?.[1]
    this.#options.log.warn('a command could not be read', { code, message, text: text.slice(0, 256) })
    if (id !== undefined && !this.#commands.has(id)) this.#refuse(id, code, message)
  }

  #refuse(id: string, code: string, message: string): void {
    const answer = { v: wireVersion, id, ...bounded({ state: 'rejected', code, message }), at: this.#options.clock.now() }
    const text = JSON.stringify(answer)
    // An id that is none would be refused there for ever.
    if (!parseAckMessage(text).ok) return
    const oldest = this.#refusals.size >= refusalsMost ? this.#refusals.keys().next() : undefined
    if (oldest?.done === false) this.#refusals.delete(oldest.value)
    this.#refusals.set(id, text)
    this.#announce()
  }

  async #forgetOldest(): Promise<void> {
    const over = [...this.#commands.values()].filter((each) => each.acknowledged).slice(0, -rememberedMost)
    for (const command of over) {
      this.#commands.delete(command.message.id)
      await this.#level.del(keyOf(command))
    }
  }

  #write(command: KeptCommand): Promise<void> {
    return this.#level.put(keyOf(command), JSON.stringify(command), { sync: true })
  }

  #announce(): void {
    for (const listener of this.#answerListeners) listener()
  }
}

function keyOf({ order }: KeptCommand): string {
  return `command!${String(order).padStart(16, '0')}`
}

function bounded<Outcome extends { readonly message?: string | undefined }>(outcome: Outcome): Outcome {
  return outcome.message === undefined ? outcome : { ...outcome, message: outcome.message.slice(0, 1_000) }
}
