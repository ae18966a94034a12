import type { RunDetail } from '@endeks/billing-api/contract'
import { Button } from '@mantine/core'
import { useHotkeys } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { Link, useParams } from 'react-router'
import { queries } from '../../api/queries.js'
import { CopyButton } from '../../components/copy-button.js'
import { Page } from '../../components/page.js'
import { Region } from '../../components/region.js'
import { RunStateMark, StateMark } from '../../components/state-mark.js'
import { isNegative } from '../../format/decimal.js'
import { changePercent } from '../../format/sum.js'
import { known } from '../../i18n/known.js'
import { useLanguage } from '../../i18n/language.js'
import { Checks } from './checks.js'
import { IssueDialog } from './issue-dialog.js'
import { NotBilled } from './not-billed.js'
import { Steps } from './steps.js'

const moving: readonly string[] = ['freezing', 'calculating', 'checking', 'issuing']

export function RunPage() {
  const { t, f } = useLanguage()
  const { id = '' } = useParams()
  const run = useQuery({
    ...queries.run(id),
    refetchInterval: (query) => (query.state.data !== undefined && moving.includes(query.state.data.state) ? 1_000 : false)
  })
  const [issuing, setIssuing] = useState(false)
  const data = run.data
  const issue = data?.actions.find((action) => action.name === 'issue')
  const whyNot = (reason: string | null) => known(t.run.reasons, reason?.split(' ')[0] ?? 'RUN_STATE')
  const mayIssue = issue?.allowed === true
  const open = () => {
    if (mayIssue) setIssuing(true)
  }
  useHotkeys([['mod+Enter', open]], [])
  return (
    <Page
      title={data === undefined ? t.runs.title : t.run.title(f.month(data.period))}
      mark={data === undefined ? undefined : <RunStateMark state={data.state} />}
      facts={data === undefined ? undefined : <Facts run={data} />}
      actions={
        data === undefined || data.state === 'issued' ? undefined : (
          <Button
            onClick={open}
            aria-disabled={!mayIssue}
            {...(mayIssue ? {} : { 'data-disabled': true })}
            title={mayIssue ? undefined : t.run.notAllowed(whyNot(issue?.reason ?? null))}
            rightSection={<kbd>Ctrl Enter</kbd>}
            data-testid="issue-open"
          >
            {t.run.issue}
          </Button>
        )
      }
    >
      <Region query={run} height={400}>
        {(given) => <Body run={given} />}
      </Region>
      {issuing && data !== undefined && <IssueDialog run={data} onClose={() => setIssuing(false)} />}
    </Page>
  )
}

function Facts({ run }: { readonly run: RunDetail }) {
  const { t, f } = useLanguage()
  return (
    <>
      <span>{t.run.cutoff(f.minute(run.cutoffAt))}</span>
      <span>{t.run.issueDate(f.day(run.issueDate))}</span>
      <span>{t.run.dueDate(f.day(run.dueDate))}</span>
      <span>{t.run.preparedBy(run.requestedBy)}</span>
      {run.digest !== null && (
        <span style={{ display: 'inline-flex', alignItems: 'center' }}>
          {t.run.digest}&nbsp;<span className="mono">{`${run.digest.slice(0, 4)}…${run.digest.slice(-4)}`}</span>
          <CopyButton text={run.digest} />
        </span>
      )}
    </>
  )
}

function Body({ run }: { readonly run: RunDetail }) {
  const { t } = useLanguage()
  return (
    <div style={{ display: 'flex', flexDirection: 'column', gap: 16 }}>
      <Steps run={run} />
      {run.numbers !== null && run.state === 'issued' && (
        <div className="note" data-tone="ok" role="status">
          <StateMark tone="ok">
            <span className="mono" data-testid="number-range">
              {t.run.numbers(run.numbers.first, run.numbers.last)}
            </span>
            , {t.run.noGap}
          </StateMark>{' '}
          <Link className="link" to={`/billing/invoices?period=${run.period}`}>
            {t.run.toInvoices}
          </Link>
        </div>
      )}
      {run.failure !== null && (
        <div className="problem" role="alert">
          <p>
            <b>{t.run.failure}.</b> {run.failure.message}
          </p>
          <span className="mono dim">{run.failure.code}</span>
        </div>
      )}
      <div className="split even">
        <Checks run={run} />
        <NotBilled run={run} />
      </div>
      <Totals run={run} />
    </div>
  )
}

function Totals({ run }: { readonly run: RunDetail }) {
  const { t, f } = useLanguage()
  const change = run.previousGross === null ? null : changePercent(run.previousGross, run.gross)
  return (
    <div className="money-line">
      <span>
        {t.run.total} <b>{f.money(run.gross)}</b>
      </span>
      <span className="dim">
        {t.runs.net} {f.amount(run.net)}
      </span>
      <span className="dim">
        {t.runs.tax} {f.amount(run.tax)}
      </span>
      {run.previousGross !== null && <span>{t.run.previous(f.money(run.previousGross))}</span>}
      {change !== null && <span>{t.run.change(`${isNegative(change) ? '' : '+'}${f.percent(change)}`)}</span>}
    </div>
  )
}
