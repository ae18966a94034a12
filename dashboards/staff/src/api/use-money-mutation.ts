import { useCallback, useEffect, useRef, useState } from 'react'
import { asFailure, type RequestFailure } from './problem.js'

/**
 * Where a money form stands. It is never optimistic: `done` comes with the server's document and with nothing else.
 * `unknown` means that no answer came; the same body goes out again under the same key, so that a second document cannot be made.
 */
export type MoneyState<Document> =
  | { readonly phase: 'open'; readonly failure: RequestFailure | null }
  | { readonly phase: 'saving' }
  | { readonly phase: 'checking' }
  | { readonly phase: 'unknown'; readonly failure: RequestFailure }
  | { readonly phase: 'done'; readonly document: Document }

export interface MoneyMutation<Body, Document> {
  readonly state: MoneyState<Document>
  /** Ignored unless the form is open: a double click sends once. */
  readonly submit: (body: Body) => void
  /** Asks again for the result that is not known. */
  readonly askAgain: () => void
  /** A new form with a new key. */
  readonly reset: () => void
}

const pausesMs = [500, 1_500, 4_000]

function mintKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** One idempotency key for the life of the form, minted when it opens. */
export function useMoneyMutation<Body, Document>(
  send: (key: string, body: Body) => Promise<Document>,
  onDone: (document: Document) => void
): MoneyMutation<Body, Document> {
  const [state, setState] = useState<MoneyState<Document>>({ phase: 'open', failure: null })
  const key = useRef(mintKey())
  const sent = useRef<Body | null>(null)
  const busy = useRef(false)
  const alive = useRef(true)
  useEffect(() => {
    alive.current = true
    return () => {
      alive.current = false
    }
  }, [])

  const run = useCallback(
    async (body: Body, first: MoneyState<Document>) => {
      if (busy.current) return
      busy.current = true
      sent.current = body
      setState(first)
      const outcome = await attempt(send, key.current, body, () => alive.current && setState({ phase: 'checking' }))
      busy.current = false
      if (!alive.current) return
      setState(outcome)
      if (outcome.phase === 'done') onDone(outcome.document)
    },
    [send, onDone]
  )

  const submit = useCallback(
    (body: Body) => {
      if (state.phase === 'open') void run(body, { phase: 'saving' })
    },
    [run, state.phase]
  )
  const askAgain = useCallback(() => {
    if (sent.current !== null) void run(sent.current, { phase: 'checking' })
  }, [run])
  const reset = useCallback(() => {
    if (busy.current) return
    key.current = mintKey()
    sent.current = null
    setState({ phase: 'open', failure: null })
  }, [])
  return { state, submit, askAgain, reset }
}

async function attempt<Body, Document>(
  send: (key: string, body: Body) => Promise<Document>,
  key: string,
  body: Body,
  onChecking: () => void
): Promise<MoneyState<Document>> {
  for (const wait of [...pausesMs, null]) {
    try {
      return { phase: 'done', document: await send(key, body) }
    } catch (thrown) {
      const failure = asFailure(thrown)
      // a decided refusal opens the form again: nothing was recorded
      if (failure.status >= 400 && failure.status < 500) return { phase: 'open', failure }
      if (wait === null) return { phase: 'unknown', failure }
    }
    onChecking()
    await pause(wait)
  }
  throw new Error('the loop returns at its last turn')
}
