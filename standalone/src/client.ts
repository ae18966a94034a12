import { AppError, catalogue, type ErrorCode } from '@endeks/domain/errors'

/** The API as an administrator's program calls it: over HTTP, with a session of its own, like everybody else. */
export interface ApiClient {
  get<Answer>(path: string): Promise<Answer>
  put<Answer>(path: string, body: unknown): Promise<Answer>
  post<Answer>(path: string, body: unknown): Promise<Answer>
}

const answerWithinMs = 120_000

/** Signs in. @throws {AppError} LOGIN_WRONG */
export async function signIn(api: string, login: { readonly login: string; readonly password: string }): Promise<ApiClient> {
  const response = await fetch(`${api}/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(login),
    signal: AbortSignal.timeout(answerWithinMs)
  })
  if (!response.ok) throw await problem(response)
  const cookie = response.headers
    .getSetCookie()
    .map((each) => each.split(';')[0])
    .join('; ')
  const call = async <Answer>(method: string, path: string, body?: unknown): Promise<Answer> => {
    const answer = await fetch(`${api}${path}`, {
      method,
      headers: { cookie, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      signal: AbortSignal.timeout(answerWithinMs),
      ...(body === undefined ? {} : { body: JSON.stringify(body) })
    })
    if (!answer.ok) throw await problem(answer)
    return (await answer.json()) as Answer
  }
  return {
    get: async (path) => await call('GET', path),
    put: async (path, body) => await call('PUT', path, body),
    post: async (path, body) => await call('POST', path, body)
  }
}

async function problem(response: Response): Promise<AppError> {
  const body = (await response.json().catch(() => ({}))) as {
    code?: string
    detail?: string
    problems?: { path: string; message: string }[]
  }
  const code: ErrorCode = body.code !== undefined && Object.hasOwn(catalogue, body.code) ? (body.code as ErrorCode) : 'INTERNAL'
  const lines = (body.problems ?? []).map((each) => `\n  ${each.path}: ${each.message}`).join('')
  return new AppError(code, `${new URL(response.url).pathname} answered ${response.status}: ${body.detail ?? ''}${lines}`)
}
