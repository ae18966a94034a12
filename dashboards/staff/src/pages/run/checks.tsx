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

/** Checks over money count in millionths and those over consumption in thousandths of a litre: nobody reads either. */
const placesOf: Readonly<Record<string, { readonly shift: number; readonly shown: number }>> = {
  'lines-are-quantity-times-price': { shift: 6, shown: 2 },
  'tax-is-rate-times-base': { shift: 6, shown: 2 },
  'lines-are-charges': { shift: 6, shown: 2 },
  'documents-are-their-lines': { shift: 6, shown: 2 },
  'documents-are-bills': { shift: 6, shown: 2 },
  'postings-are-documents': { shift: 6, shown: 2 },
  'ledger-sums-to-zero': { shift: 6, shown: 2 },
  'slices-add-up-to-consumption': { shift: 6, shown: 3 },
  'bills-are-segments': { shift: 6, shown: 3 }
}

function figure(name: string, text: string, f: Formats): string {
  if (!isDecimal(text)) return text
  const places = placesOf[name]
  return places === undefined ? f.exact(text, 0) : f.exact(pointLeft(text, places.shift), places.shown)
}
