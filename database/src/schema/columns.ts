import type { EpochMs } from '@endeks/domain/time'
import type { ColumnType } from 'kysely'

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** Read as an instant, written as text (`toIso`); compared with `instant(at)` of `@endeks/database/pool`. */
export type Timestamp = ColumnType<EpochMs, string, string>

/** Read parsed; written as JSON text, since the driver would make an array of PostgreSQL out of a JavaScript one. */
export type JsonColumn = ColumnType<Json, string, string>

/** May be left out when a row is inserted: it has a default. */
export type Generated<T> =
  T extends ColumnType<infer S, infer I, infer U> ? ColumnType<S, I | undefined, U> : ColumnType<T, T | undefined, T>

/** Can't be written at all: PostgreSQL computes it. */
export type Computed<T> = T extends ColumnType<infer S, unknown, unknown> ? ColumnType<S, never, never> : ColumnType<T, never, never>
