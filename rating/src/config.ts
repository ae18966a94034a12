import { operationsNames, operationsSettings } from '@endeks/domain/operations'
import Type, { type Static } from 'typebox'

export const RatingConfig = Type.Object(
  {
    databaseUrl: Type.String({ pattern: '^postgres(ql)?://' }),
    workers: Type.Integer({ minimum: 1, maximum: 64, default: 2 }),
    shardSize: Type.Integer({ minimum: 1, maximum: 100_000, default: 5_000 }),
    ...operationsSettings,
    killAt: Type.Optional(Type.String())
  },
  { additionalProperties: false }
)
export type RatingConfig = Static<typeof RatingConfig>

/** Environment variable of each setting. */
export const ratingVariables = {
  databaseUrl: 'ENDEKS_DATABASE_URL',
  workers: 'ENDEKS_RATING_WORKERS',
  shardSize: 'ENDEKS_RATING_SHARD_SIZE',
  ...operationsNames,
  killAt: 'ENDEKS_KILL_AT'
}
