import { Skeleton } from '@mantine/core'
import { type ReactNode, useEffect, useState } from 'react'
import { useLanguage } from '../i18n/language.js'
import { ProblemPanel } from './problem-panel.js'

/** What a region needs to know of its request; every query has it. */
export interface RegionQuery<Data> {
  readonly data: Data | undefined
  readonly error: Error | null
  readonly isFetching: boolean
  readonly dataUpdatedAt: number
  readonly refetch: () => unknown
}

interface RegionProps<Data> {
  readonly query: RegionQuery<Data>
  readonly children: (data: Data) => ReactNode
  /** height of the skeleton: the final height, so that nothing moves */
  readonly height?: number
  readonly fill?: boolean
}

/**
 * One part of a page with its own request: a failure stays inside it, old data stays while new data is fetched, and data that
 * could not be refreshed says of when it is.
 */
export function Region<Data>({ query, children, height = 120, fill = false }: RegionProps<Data>) {
  const { t, f } = useLanguage()
  const { data, error } = query
  if (data === undefined) {
    if (error !== null) return <ProblemPanel failure={error} onRetry={() => void query.refetch()} />
    return <LateSkeleton height={height} />
  }
  return (
    <div className={fill ? 'region fill' : 'region'} aria-busy={query.isFetching}>
      {query.isFetching && <Fetching />}
      {error !== null && (
        <div className="note" role="status">
          {t.common.stale(f.clock(query.dataUpdatedAt))}{' '}
          <button type="button" className="link" onClick={() => void query.refetch()}>
            {t.common.retry}
          </button>
        </div>
      )}
      {children(data)}
    </div>
  )
}

/** Nothing for 200 ms: what comes at once should not flicker. */
function useLate(): boolean {
  const [late, setLate] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), 200)
    return () => clearTimeout(timer)
  }, [])
  return late
}

function Fetching() {
  return useLate() ? <div className="fetching" /> : null
}

export function LateSkeleton({ height }: { readonly height: number }) {
  const { t } = useLanguage()
  const late = useLate()
  return (
    <div style={{ height, overflow: 'hidden' }} role="status" aria-label={t.common.loading}>
      {late &&
        Array.from({ length: Math.max(1, Math.floor(height / 28)) }, (_, index) => index).map((row) => (
          <Skeleton key={row} height={16} mb={12} radius={4} width={row % 3 === 2 ? '70%' : '100%'} />
        ))}
    </div>
  )
}

/** There is nothing, and why: nothing yet, or the filter hides all of it. */
export function Empty({ children, action }: { readonly children: ReactNode; readonly action?: ReactNode }) {
  return (
    <div className="empty" data-testid="empty">
      <span>{children}</span>
      {action}
    </div>
  )
}
