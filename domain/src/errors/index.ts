export { asError, withCode } from './boundary.js'
export { AppError, catalogue, type ErrorCode, isAppError } from './catalogue.js'
