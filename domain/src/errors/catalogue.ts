/**
 * Every code that this product can answer with, its HTTP status, and whether the same request may be tried again.
 * A code is a promise to callers: texts may change, codes may not.
 */
export const catalogue = {
  // what the caller sent
  VALIDATION: { status: 400, retryable: false },
  CONFIG_INVALID: { status: 500, retryable: false },
  NOT_SIGNED_IN: { status: 401, retryable: false },
  LOGIN_WRONG: { status: 401, retryable: false },
  LOGIN_TOO_MANY: { status: 429, retryable: true },
  RIGHT_MISSING: { status: 403, retryable: false },
  ORIGIN_FOREIGN: { status: 403, retryable: false },
  ROUTE_UNKNOWN: { status: 404, retryable: false },
  PAYLOAD_TOO_LARGE: { status: 413, retryable: false },
  // accounts
  PARTICIPANT_NOT_FOUND: { status: 404, retryable: false },
  SUBSCRIPTION_NOT_FOUND: { status: 404, retryable: false },
  SERVICE_POINT_NOT_FOUND: { status: 404, retryable: false },
  METER_NOT_FOUND: { status: 404, retryable: false },
  GATEWAY_NOT_FOUND: { status: 404, retryable: false },
  TARIFF_NOT_FOUND: { status: 404, retryable: false },
  FACT_OVERLAPS: { status: 409, retryable: false },
  ALREADY_EXISTS: { status: 409, retryable: false },
  MAPPING_CHANGED: { status: 409, retryable: false },
  IDENTIFIER_INVALID: { status: 422, retryable: false },
  // tariffs and runs
  TARIFF_INVALID: { status: 422, retryable: false },
  TARIFF_EXAMPLE_FAILS: { status: 422, retryable: false },
  RATE_SCHEDULE_GAP: { status: 422, retryable: false },
  UNIT_MISMATCH: { status: 422, retryable: false },
  CONSUMPTION_GAP: { status: 422, retryable: false },
  CONSUMPTION_NEGATIVE: { status: 422, retryable: false },
  RUN_NOT_FOUND: { status: 404, retryable: false },
  RUN_STATE: { status: 409, retryable: false },
  RUN_CHECK_FAILED: { status: 409, retryable: false },
  RUN_IN_PROGRESS: { status: 409, retryable: true },
  PERIOD_NOT_OVER: { status: 422, retryable: false },
  PERIOD_CLOSED: { status: 409, retryable: false },
  // documents and money
  INVOICE_NOT_FOUND: { status: 404, retryable: false },
  INVOICE_LINE_NOT_FOUND: { status: 404, retryable: false },
  COLLECTION_NOT_FOUND: { status: 404, retryable: false },
  COLLECTION_TOO_MUCH: { status: 422, retryable: false },
  AMOUNT_INVALID: { status: 422, retryable: false },
  IDEMPOTENCY_KEY_REUSED: { status: 409, retryable: false },
  LEDGER_UNBALANCED: { status: 500, retryable: false },
  DOCUMENT_RENDERING: { status: 500, retryable: true },
  // evidence
  EVIDENCE_MISSING: { status: 404, retryable: false },
  // messages from gateways
  MESSAGE_TOO_LARGE: { status: 413, retryable: false },
  MESSAGE_MALFORMED: { status: 400, retryable: false },
  MESSAGE_FOREIGN_GATEWAY: { status: 403, retryable: false },
  MESSAGE_EVIDENCE_HASH: { status: 400, retryable: false },
  MESSAGE_UNSTORABLE: { status: 422, retryable: false },
  MESSAGE_KEY_UNMAPPED: { status: 422, retryable: false },
  MESSAGE_VALUE_REFUSED: { status: 422, retryable: false },
  MESSAGE_BIRTH_NEEDED: { status: 409, retryable: false },
  MIRROR_POINT_REFUSED: { status: 422, retryable: false },
  MIRROR_UNAVAILABLE: { status: 503, retryable: true },
  // commands between services
  COMMAND_UNKNOWN: { status: 400, retryable: false },
  COMMAND_FAILED: { status: 500, retryable: false },
  // commands to meters
  DOWNLINK_NOT_FOUND: { status: 404, retryable: false },
  PLACE_NOT_CONNECTED: { status: 409, retryable: false },
  COMMAND_TOO_MANY: { status: 429, retryable: true },
  COMMAND_UNSUPPORTED: { status: 422, retryable: false },
  COMMAND_EXPIRED: { status: 409, retryable: true },
  COMMAND_INTERRUPTED: { status: 409, retryable: false },
  OTHER_DEVICE: { status: 409, retryable: false },
  GATEWAY_CLOCK_WRONG: { status: 409, retryable: true },
  // processes and the database
  KEYS_BUSY: { status: 409, retryable: true },
  KEY_MISSING: { status: 409, retryable: false },
  KEYS_UNREADABLE: { status: 500, retryable: false },
  KEY_FILE_INVALID: { status: 422, retryable: false },
  PORT_TAKEN: { status: 500, retryable: false },
  DATA_DIRECTORY_VERSION: { status: 500, retryable: false },
  DATA_DIRECTORY_IN_USE: { status: 500, retryable: false },
  SPOOL_DISK_FULL: { status: 507, retryable: true },
  SPOOL_DAMAGED: { status: 500, retryable: false },
  SPOOL_FAILED: { status: 500, retryable: true },
  UPLINK_CERTIFICATE: { status: 500, retryable: true },
  DATABASE_START: { status: 500, retryable: true },
  DATABASE_UNREACHABLE: { status: 503, retryable: true },
  DATABASE_FULL: { status: 503, retryable: true },
  STREAM_UNREACHABLE: { status: 503, retryable: true },
  MIGRATION_FAILED: { status: 500, retryable: false },
  CHILD_FAILED: { status: 500, retryable: true },
  TIMEOUT: { status: 504, retryable: true },
  INTERNAL: { status: 500, retryable: true }
} as const satisfies Record<string, { readonly status: number; readonly retryable: boolean }>

export type ErrorCode = keyof typeof catalogue

/** An operation that cannot go on. Callers test `code`, never the text. */
export class AppError extends Error {
  readonly code: ErrorCode
  readonly details: Readonly<Record<string, unknown>>

  constructor(code: ErrorCode, message: string, details: Readonly<Record<string, unknown>> = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'AppError'
    this.code = code
    this.details = details
  }

  get status(): number {
    return catalogue[this.code].status
  }

  get retryable(): boolean {
    return catalogue[this.code].retryable
  }
}

export function isAppError(thrown: unknown, code?: ErrorCode): thrown is AppError {
  return thrown instanceof AppError && (code === undefined || thrown.code === code)
}
