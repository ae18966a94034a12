import type { Explanation } from '@endeks/billing-api/contract'
import type { Column } from '../../components/column.js'
import { PlainTable } from '../../components/plain-table.js'
import { StateMark } from '../../components/state-mark.js'
import { useLanguage } from '../../i18n/language.js'
import { Step } from './step.js'

type Link = Explanation['chain'][number]

/** Every link from the amount to the bytes, each proved when it was asked for. */
export function ChainStep({ explanation }: { readonly explanation: Explanation }) {
  const { t } = useLanguage()
  const columns: Column<Link>[] = [
    { key: 'link', head: t.explain.chain, cell: (row) => <StateMark tone={row.ok ? 'ok' : 'bad'}>{t.explain.links[row.link]}</StateMark> },
    { key: 'expected', head: t.explain.expected, cell: (row) => <Proof text={row.expected} />, from: 'mid' },
    { key: 'found', head: t.explain.found, cell: (row) => <Proof text={row.found} /> }
  ]
  return (
    <Step no={5} title={t.explain.chain}>
      <PlainTable label={t.explain.chain} columns={columns} rows={explanation.chain} rowKey={(row) => row.link} testId="chain-row" />
    </Step>
  )
}

/** Hashes are shown by their ends; the whole of them is the title. Where every index was typed, there are no bytes to prove. */
function Proof({ text }: { readonly text: string }) {
  const short = text === '' ? '–' : text.replace(/[0-9a-f]{64}/g, (hash) => `${hash.slice(0, 8)}…${hash.slice(-8)}`)
  return (
    <span className="mono" title={text} style={{ overflowWrap: 'anywhere' }}>
      {short}
    </span>
  )
}
