import { failure, type Result, success } from '@endeks/domain/result'
import type { EpochMs } from '@endeks/domain/time'
import { amountFor } from '../amount.js'
import type { DecodeFailure, MeterCommand } from '../protocol.js'
import { encodeTimestamp, type ModbusProfile, type ReadRange, splitWords, valueTypes, type Write, wireAddress } from './codec/index.js'

export interface Telling {
  readonly write: Write
  /** what can be said of it once the unit has confirmed it */
  readonly result: Readonly<Record<string, string | number | boolean>>
  /** where it can be looked at afterwards, and what the words there mean */
  readonly readBack?: { readonly range: ReadRange; readonly positionOf: (words: readonly number[]) => 'open' | 'closed' | undefined }
}

const positions = ['open', 'closed'] as const

/** COMMAND_UNSUPPORTED where the profile has no way to say it, or a number does not fit. */
export function tellingFor(
  command: MeterCommand,
  { profile, zone, now }: { readonly profile: ModbusProfile; readonly zone: string; readonly now: EpochMs }
): Result<Telling, DecodeFailure> {
  const commands = profile.commands ?? {}
  const entry = commands[command.kind]
  if (entry === undefined) return unsupported(`the profile declares no ${command.kind}`)
  const address = wireAddress(profile, entry.address)
  if (command.kind === 'valve' && commands.valve !== undefined) return success(valveTelling(commands.valve, address, command.position))
  if (command.kind === 'credit' && commands.credit !== undefined) return creditTelling(commands.credit, address, command)
  if (command.kind === 'set-clock' && commands['set-clock'] !== undefined) {
    const words = encodeTimestamp(now, commands['set-clock'], zone)
    return success({ write: { function: 16, address, words }, result: { setTo: now } })
  }
  return unsupported(`the profile declares no ${command.kind}`)
}

type Commands = NonNullable<ModbusProfile['commands']>

function valveTelling(valve: NonNullable<Commands['valve']>, address: number, position: 'open' | 'closed'): Telling {
  const wordsOf = (each: 'open' | 'closed'): number[] =>
    valve.function === 16 ? splitWords(BigInt(valve[each]), valueTypes[valve.type ?? 'u16'], valve) : [valve[each]]
  const words = wordsOf(position)
  return {
    write: { function: valve.function, address, words },
    result: {},
    readBack: {
      range: { function: valve.function === 5 ? 1 : 3, address, count: words.length },
      positionOf: (read) => positions.find((each) => wordsOf(each).every((word, index) => read[index] === word))
    }
  }
}

function creditTelling(
  credit: NonNullable<Commands['credit']>,
  address: number,
  command: Extract<MeterCommand, { kind: 'credit' }>
): Result<Telling, DecodeFailure> {
  const amount = amountFor(command, credit)
  if (!amount.ok) return amount
  const count = valueTypes[credit.type]
  if (amount.value >> BigInt(16 * count) !== 0n) return unsupported(`${amount.value} does not fit ${credit.type}`)
  const words = splitWords(amount.value, count, credit)
  return success({ write: { function: credit.function, address, words }, result: { written: amount.value.toString() } })
}

function unsupported(message: string): Result<never, DecodeFailure> {
  return failure({ code: 'COMMAND_UNSUPPORTED', message })
}
