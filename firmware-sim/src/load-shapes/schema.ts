import Type, { type Static } from 'typebox'

const strict = { additionalProperties: false } as const
/** the meter's own counts, such as litres for a water meter with scaler -3 */
const Counts = Type.Integer({ minimum: 0, maximum: 1_000_000_000 })
const Seed = Type.Integer({ minimum: 0, maximum: 4_294_967_295 })
const Instant = Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d{1,3})?(Z|[+-]\\d{2}:\\d{2})$' })

/** How a meter's index grows. Everything follows from these figures and the instants: two runs show the same dial. */
export const LoadShapeSchema = Type.Union([
  Type.Object({ type: Type.Literal('household'), seed: Seed, perDay: Counts }, strict),
  Type.Object(
    {
      type: Type.Literal('shift-factory'),
      seed: Seed,
      perDay: Counts,
      shifts: Type.Union([Type.Literal(1), Type.Literal(2), Type.Literal(3)])
    },
    strict
  ),
  /** a household with a tap that never closes */
  Type.Object({ type: Type.Literal('leak'), seed: Seed, perDay: Counts, leakPerHour: Counts, leakFrom: Type.Optional(Instant) }, strict),
  /** exactly these values, as displayed, each from its instant on */
  Type.Object(
    {
      type: Type.Literal('fixed'),
      points: Type.Array(Type.Object({ at: Instant, raw: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }) }, strict), {
        minItems: 1,
        maxItems: 10_000
      })
    },
    strict
  )
])
export type LoadShape = Static<typeof LoadShapeSchema>
export type RhythmShape = Exclude<LoadShape, { type: 'fixed' }>
