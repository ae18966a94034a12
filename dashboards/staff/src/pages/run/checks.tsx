import type { RunDetail } from '@endeks/billing-api/contract'
import type { Column } from '../../components/column.js'
import { Section } from '../../components/page.js'
import { PlainTable } from '../../components/plain-table.js'
import { Empty } from '../../components/region.js'
import { StateMark } from '../../components/state-mark.js'
import { isDecimal, pointLeft } from '../../format/decimal.js'
import { known } from '../../i18n/known.js'
import { type Formats, useLanguage } from '../../i18n/language.js'

type Check = RunDetail['checks'][number]

const mostOffenders = 10

/** A run that fails a check gets no number: what was expected, what was found, and who is to blame. */
export function Checks({ run }: { readonly run: RunDetail }) {
  const { t, f } = useLanguage()
  const columns: Column<Check>[] = [
    {
      key: 'name',
      head: t.run.check,
      cell: (check) => <StateMark tone={check.passed ? 'ok' : 'bad'}>{known(t.run.checkNames, check.name)}</StateMark>
    },
    { key: 'expected', head: t.run.expected, cell: (check) => figure(check.name, check.expected, f), align: 'right', from: 'mid' },
    { key: 'found', head: t.run.found, cell: (check) => figure(check.name, check.found, f), align: 'right' },
    { key: 'result', head: '', cell: (check) => (check.passed ? t.run.passed : t.run.failed) }
  ]
  return (
    <Section title={t.run.checks}>
      {run.checks.length === 0 ? (
        <Empty>{t.run.noChecks}</Empty>
      ) : (
        <PlainTable
          label={t.run.checks}
          columns={columns}
          rows={run.checks}
          rowKey={(check) => check.name}
          testId="check-row"
          after={(check) =>
            check.offenders.length === 0 ? null : (
              <details>
                <summary>{t.run.offenders}</summary>
                <pre className="document">
                  {check.offenders
                    .slice(0, mostOffenders)
                    .map((each) => JSON.stringify(each))
                    .join('\n')}
                </pre>
              </details>
            )
          }
        />
      )}
    </Section>
  )
}

/** Checks over money count in millionths, which nobody reads. */
const inMicro: readonly string[] = ['lines-are-quantity-times-price', 'documents-are-their-lines']

function figure(name: string, text: string, f: Formats): string {
  if (!isDecimal(text)) return text
  return inMicro.includes(name) ? f.exact(pointLeft(text, 6), 2) : f.exact(text, 0)
}
