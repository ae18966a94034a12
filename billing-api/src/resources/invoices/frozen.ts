import { AppError } from '@endeks/domain/errors'
import Type, { type Static } from 'typebox'
import { Compile } from 'typebox/compile'
import { exchangePattern } from '../shared.js'

const Whole = Type.String({ pattern: '^-?\\d{1,40}$' })

const Index = Type.Object({
  at: Type.Integer(),
  raw: Whole,
  scaler: Type.Integer({ minimum: -18, maximum: 18 }),
  unit: Type.String(),
  source: Type.String(),
  evidence: Type.Union([Type.String({ pattern: '^[0-9a-f]{64}$' }), Type.Null()]),
  /** which conversation, as "day/id": two of them can have the same bytes and so the same hash */
  exchange: Type.Union([Type.String({ pattern: exchangePattern }), Type.Null()])
})
export type FrozenIndex = Static<typeof Index>

const Register = Type.Object({
  register: Whole,
  meter: Type.Object({ id: Whole, serial: Type.String(), manufacturer: Type.String() }),
  obis: Type.String(),
  opening: Index,
  closing: Index,
  amount: Whole,
  segments: Type.Array(
    Type.Object({
      from: Type.Integer(),
      to: Type.Integer(),
      amount: Whole,
      fromRaw: Whole,
      toRaw: Whole,
      scaler: Type.Integer({ minimum: -18, maximum: 18 }),
      unit: Type.String(),
      quality: Type.String(),
      rule: Type.String()
    })
  )
})
export type FrozenRegister = Static<typeof Register>

/** What this API reads of a bill's frozen inputs. More may be there: the hash is over the text, not over this. */
const Content = Type.Object({
  format: Type.Literal(1),
  period: Type.Object({
    from: Type.Integer(),
    to: Type.Integer(),
    fromDay: Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}$' }),
    toDay: Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}$' })
  }),
  accrualDate: Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}$' }),
  unit: Type.String(),
  kdv: Type.Record(Type.String(), Type.Array(Type.Object({ from: Type.String(), rate: Type.String() }))),
  consumption: Whole,
  supplies: Type.Array(
    Type.Object({
      servicePoint: Type.String(),
      sign: Type.Union([Type.Literal(1), Type.Literal(-1)]),
      share: Type.String({ pattern: '^\\d{1,18}/[1-9]\\d{0,17}$' }),
      registers: Type.Array(Register)
    })
  )
})
export type FrozenInput = Static<typeof Content>

const validator = Compile(Content)

/** @throws {AppError} EVIDENCE_MISSING when there is no record or it is of a format that this program does not read */
export function readFrozen(content: string | null): FrozenInput {
  if (content === null) throw new AppError('EVIDENCE_MISSING', 'the frozen inputs of this invoice are not there')
  const value: unknown = JSON.parse(content)
  if (validator.Check(value)) return value
  const [problem] = validator.Errors(value)
  throw new AppError('EVIDENCE_MISSING', `the frozen inputs can not be read: ${problem?.instancePath ?? ''} ${problem?.message ?? ''}`)
}
