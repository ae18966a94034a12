import { Button } from '@mantine/core'
import { asFailure, type RequestFailure } from '../api/problem.js'
import { errorText } from '../i18n/catalogues.js'
import { useLanguage } from '../i18n/language.js'
import { CopyButton } from './copy-button.js'

/** What happened, why, what to do; then the code and the request's number for whoever is asked for help. */
export function ProblemPanel({ failure, onRetry }: { readonly failure: unknown; readonly onRetry?: () => void }) {
  const { t, catalogue } = useLanguage()
  const problem: RequestFailure = asFailure(failure)
  const reference = problem.requestId === null ? problem.code : `${problem.code} · ${problem.requestId}`
  return (
    <div className="problem" role="alert" data-testid="problem" data-code={problem.code}>
      <p>{errorText(catalogue, problem.code, problem.message)}</p>
      <span className="mono dim" title={t.common.requestId}>
        {reference}
      </span>
      <CopyButton text={reference} />
      {problem.problems.length > 0 && (
        <ul style={{ margin: 0, flexBasis: '100%' }}>
          {problem.problems.map((each) => (
            <li key={`${each.path} ${each.message}`}>
              <span className="mono">{each.path}</span> {each.message}
            </li>
          ))}
        </ul>
      )}
      {onRetry !== undefined && (
        <Button variant="default" onClick={onRetry}>
          {t.common.retry}
        </Button>
      )}
    </div>
  )
}
