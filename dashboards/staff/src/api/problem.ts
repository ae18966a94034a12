import type { Problem } from '@endeks/billing-api/contract'
import { catalogue } from '@endeks/domain/errors'

/** A refused or lost request. `code` is what callers test; the text on screen is keyed by it. */
export class RequestFailure extends Error {
  readonly code: string
  readonly status: number
  readonly requestId: string | null
  readonly problems: readonly { readonly path: string; readonly message: string }[]

  constructor(given: {
    code: string
    status: number
    detail: string
    requestId: string | null
    problems?: Problem['problems']
    cause?: unknown
  }) {
    super(given.detail, given.cause === undefined ? undefined : { cause: given.cause })
    this.name = 'RequestFailure'
    this.code = given.code
    this.status = given.status
    this.requestId = given.requestId
    this.problems = given.problems ?? []
  }

  /** The same request may be sent again: nobody decided against it. */
  get retryable(): boolean {
    if (this.code === 'OFFLINE') return true
    return Object.entries(catalogue).find(([code]) => code === this.code)?.[1].retryable ?? this.status >= 500
  }
}

export function asFailure(thrown: unknown): RequestFailure {
  if (thrown instanceof RequestFailure) return thrown
  const detail = thrown instanceof Error ? thrown.message : String(thrown)
  return new RequestFailure({ code: 'ANSWER_UNREADABLE', status: 0, detail, requestId: null, cause: thrown })
}

export function isProblem(value: unknown): value is Problem {
  return typeof value === 'object' && value !== null && 'code' in value && typeof value.code === 'string'
}
