import type { RunDetail } from '@endeks/billing-api/contract'
import { Link } from 'react-router'
import type { Column } from '../../components/column.js'
import { Section } from '../../components/page.js'
import { PlainTable } from '../../components/plain-table.js'
import { Empty } from '../../components/region.js'
import { StateMark } from '../../components/state-mark.js'
import { known } from '../../i18n/known.js'
import { useLanguage } from '../../i18n/language.js'

type Exclusion = RunDetail['exclusions'][number]

/** Every subscription is billed or stands here with its reason. */
export function NotBilled({ run }: { readonly run: RunDetail }) {
  const { t, f } = useLanguage()
  const columns: Column<Exclusion>[] = [
    { key: 'subscription', head: t.run.subscription, cell: (row) => <span className="mono">{row.subscription}</span> },
    {
      key: 'participant',
      head: t.run.participant,
      clip: true,
      cell: (row) => (
        <Link className="link" to={`/participants/${row.participant.registryNo}`}>
          {row.participant.name}
        </Link>
      )
    },
    { key: 'reason', head: t.run.reason, cell: (row) => known(t.run.reasons, row.reason) }
  ]
  return (
    <Section title={t.run.notBilled(f.count(run.excluded))}>
      {run.exclusions.length === 0 ? (
        <Empty>
          {run.checks.length > 0 && run.excluded === 0 ? <StateMark tone="ok">{t.run.nobodyLeftOut}</StateMark> : t.common.nothingYet}
        </Empty>
      ) : (
        <PlainTable
          label={t.run.notBilled('')}
          columns={columns}
          rows={run.exclusions}
          rowKey={(row) => row.subscription}
          testId="exclusion-row"
        />
      )}
    </Section>
  )
}
