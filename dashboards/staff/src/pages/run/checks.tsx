import type { RunDetail } from '@endeks/billing-api/contract'
import type { Column } from '../../components/column.js'
import { Section } from '../../components/page.js'
import { PlainTable } from '../../components/plain-table.js'
import { Empty } from '../../components/region.js'
import { StateMark } from '../../components/state-mark.js'
import { isDecimal } from '../../format/decimal.js'
import { useLanguage } from '../../i18n/language.js'

type Check = RunDetail['checks'][number]

const mostOffenders = 10

/** A run that fails a check gets no number: what was expected, what was found, and who is to blame. */
export function Checks({ run }: { readonly run: RunDetail }) {
  const { t, f } = useLanguage()
  const figure = (text: string) => (isDecimal(text) ? f.exact(text, text.includes('.') ? 2 : 0) : text)
  const columns: Column<Check>[] = [
    {
      key: 'name',
      head: t.run.check,
      cell: (check) => <StateMark tone={check.passed ? 'ok' : 'bad'}>{nameOf(check.name, t.run.checkNames)}</StateMark>
    },
    { key: 'expected', head: t.run.expected, cell: (check) => figure(check.expected), align: 'right', from: 'mid' },
    { key: 'found', head: t.run.found, cell: (check) => figure(check.found), align: 'right' },
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

function nameOf(name: string, known: Readonly<Record<string, string>>): string {
  return known[name] ?? name
}
