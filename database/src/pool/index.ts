export {
  connect,
  createKysely,
  createPool,
  dedicatedClient,
  instant,
  type Pool,
  type PoolClient,
  type PoolOptions,
  plainName
} from './pool.js'
export { hasSqlState, inTransaction, type TransactionOptions } from './transaction.js'
export { typeParsers } from './types.js'
