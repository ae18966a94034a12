import { useQuery, useQueryClient } from '@tanstack/react-query'
import { lazy, type ReactNode, Suspense } from 'react'
import { asFailure } from '../api/problem.js'
import { queries } from '../api/queries.js'
import { ProblemPanel } from '../components/problem-panel.js'
import { useSessionEnded } from './session-ended.js'

const LoginPage = lazy(async () => ({ default: (await import('../pages/login/login-page.js')).LoginPage }))
const LoginAgain = lazy(async () => ({ default: (await import('../pages/login/login-page.js')).LoginAgain }))

/** Nobody in: the login page. Session over while somebody works: the login over the page, and nothing typed is lost. */
export function SessionGate({ children }: { readonly children: ReactNode }) {
  const session = useQuery(queries.session())
  const [ended, setEnded] = useSessionEnded()
  const client = useQueryClient()
  if (session.data !== undefined) {
    return (
      <>
        {children}
        {ended && (
          <Suspense>
            <LoginAgain
              onDone={() => {
                setEnded(false)
                void client.refetchQueries({ type: 'active' })
              }}
            />
          </Suspense>
        )}
      </>
    )
  }
  if (session.error === null) return null
  const failure = asFailure(session.error)
  if (failure.status !== 401) {
    return (
      <div className="page">
        <ProblemPanel failure={failure} onRetry={() => void session.refetch()} />
      </div>
    )
  }
  return (
    <Suspense>
      <LoginPage />
    </Suspense>
  )
}
