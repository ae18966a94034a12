import { isProblem, RequestFailure } from './problem.js'

const timeoutMs = 20_000

export interface CallOptions {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

/** Query values; an absent or empty one is left out of the address. */
export type Query = Readonly<Record<string, string | number | null | undefined>>

export function address(path: string, query: Query = {}): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== '') search.set(name, String(value))
  }
  const text = search.toString()
  return text === '' ? path : `${path}?${text}`
}

/**
 * One request to the API of the same origin. The answer has the type that the API's contract promises: both are built from
 * one release.
 *
 * @throws {RequestFailure} with the server's code, or OFFLINE, TIMEOUT, ANSWER_UNREADABLE
 */
export async function call<Answer>(path: string, options: CallOptions = {}): Promise<Answer> {
  const deadline = AbortSignal.timeout(timeoutMs)
  const signal = options.signal === undefined ? deadline : AbortSignal.any([deadline, options.signal])
  const response = await send(`/api${path}`, options, signal, deadline)
  const text = await response.text()
  const value = text === '' ? undefined : parse(text, response)
  if (response.ok) return value as Answer
  if (isProblem(value)) {
    throw new RequestFailure({
      code: value.code,
      status: response.status,
      detail: value.detail,
      requestId: value.requestId,
      problems: value.problems
    })
  }
  throw unreadable(response)
}

async function send(url: string, options: CallOptions, signal: AbortSignal, deadline: AbortSignal): Promise<Response> {
  const init: RequestInit = { method: options.method ?? 'GET', signal, credentials: 'same-origin', headers: { accept: 'application/json' } }
  if (options.body !== undefined) {
    init.body = JSON.stringify(options.body)
    init.headers = { ...init.headers, 'content-type': 'application/json' }
  }
  if (options.headers !== undefined) init.headers = { ...init.headers, ...options.headers }
  try {
    return await fetch(url, init)
  } catch (thrown) {
    if (options.signal?.aborted === true) throw thrown
    const code = deadline.aborted ? 'TIMEOUT' : 'OFFLINE'
    throw new RequestFailure({ code, status: 0, detail: String(thrown), requestId: null, cause: thrown })
  }
}

function parse(text: string, response: Response): unknown {
  try {
    return JSON.parse(text)
  } catch (thrown) {
    if (thrown instanceof SyntaxError) throw unreadable(response)
    throw thrown
  }
}

function unreadable(response: Response): RequestFailure {
  return new RequestFailure({
    code: 'ANSWER_UNREADABLE',
    status: response.status,
    detail: `${response.status} ${response.statusText}`,
    requestId: response.headers.get('x-request-id')
  })
}
