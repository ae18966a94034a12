export type { Computed, Generated, Json, JsonColumn, Timestamp } from './columns.js'
export type * from './tables.js'
