import type { Explanation } from '@endeks/billing-api/contract'
import type { Column } from '../../components/column.js'
import { Pairs } from '../../components/pairs.js'
import { PlainTable } from '../../components/plain-table.js'
import { Empty } from '../../components/region.js'
import { StateMark } from '../../components/state-mark.js'
import { type ByteRange, bytePairs, locateValue } from '../../format/bytes.js'
import { withUnit } from '../../format/number.js'
import { useLanguage } from '../../i18n/language.js'
import { anchorOf } from './anchor.js'
import { Step } from './step.js'
import { HashText } from './step-price.js'

type Evidence = Explanation['evidence'][number]
type Billed = Evidence['billed'][number]

/** The bytes themselves, what decoding them gives now, and whether that is what was billed. */
export function TelegramStep({ explanation }: { readonly explanation: Explanation }) {
  const { t } = useLanguage()
  const raws = rawValues(explanation)
  return (
    <Step no={4} title={t.explain.telegram}>
      {explanation.evidence.length === 0 ? (
        <Empty>{t.explain.noEvidence}</Empty>
      ) : (
        explanation.evidence.map((evidence) => (
          <Exchange key={evidence.exchange} evidence={evidence} raws={raws.get(evidence.exchange) ?? []} />
        ))
      )}
    </Step>
  )
}

/** The counters' own integers that rest on each exchange: what to look for in its bytes. */
function rawValues(explanation: Explanation): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const register of explanation.supplies.flatMap((supply) => supply.registers)) {
    for (const point of [register.opening, register.closing]) {
      if (point.exchange !== null) found.set(point.exchange, [...(found.get(point.exchange) ?? []), point.raw])
    }
  }
  return found
}

function Exchange({ evidence, raws }: { readonly evidence: Evidence; readonly raws: readonly string[] }) {
  const { t, f } = useLanguage()
  const { identity } = evidence
  const columns: Column<Billed>[] = [
    { key: 'at', head: t.meter.time, cell: (row) => f.minute(row.at) },
    { key: 'billed', head: t.explain.billed, align: 'right', cell: (row) => withUnit(f.quantity(row.billed.value), row.billed.unit) },
    {
      key: 'decoded',
      head: t.explain.decoded,
      align: 'right',
      cell: (row) => (row.decoded === null ? t.common.none : withUnit(f.quantity(row.decoded.value), row.decoded.unit))
    },
    {
      key: 'equal',
      head: '',
      cell: (row) => (
        <span data-testid="decoded-equal" data-ok={row.equal}>
          <StateMark tone={row.equal ? 'ok' : 'bad'}>{row.equal ? t.states.equal : t.states.different}</StateMark>
        </span>
      )
    }
  ]
  return (
    <div id={anchorOf(evidence.exchange)} data-testid="evidence" style={{ marginBottom: 16 }}>
      <div style={{ fontWeight: 500, fontSize: 13 }}>{t.explain.evidenceAt(evidence.gateway, f.second(evidence.at))}</div>
      <Pairs
        of={[
          [t.explain.protocol, `${evidence.protocol} · ${t.explain.bus} ${evidence.bus} · ${t.explain.address} ${evidence.address}`],
          [
            t.explain.identity,
            <span key="identity" className="mono">
              {[identity.id, identity.manufacturer, identity.version, identity.medium].filter((part) => part !== undefined).join(' · ')}
            </span>
          ],
          [t.explain.profile, evidence.profile.name],
          ['sha256', <HashText key="sha" hash={evidence.sha256} testId="evidence-sha256" />]
        ]}
      />
      {evidence.request !== '' && <Bytes title={t.explain.request} hex={evidence.request} marks={[]} testId="evidence-request" />}
      <Bytes title={t.explain.response} hex={evidence.response} marks={foundIn(evidence.response, raws)} testId="evidence-hex" />
      {evidence.decoded.ok ? (
        <div style={{ fontSize: 13, fontWeight: 500 }}>{t.explain.decodedAgain}</div>
      ) : (
        <StateMark tone="bad">{t.explain.decodeFailed(evidence.decoded.code, evidence.decoded.message)}</StateMark>
      )}
      <PlainTable
        label={t.explain.decodedAgain}
        columns={columns}
        rows={evidence.billed}
        rowKey={(row) => `${row.meter} ${row.obis} ${row.at}`}
      />
    </div>
  )
}

/** Where the billed counters stand in the bytes, in their order, none over another. */
function foundIn(hex: string, raws: readonly string[]): ByteRange[] {
  const found = raws.map((raw) => locateValue(hex, raw)).filter((range) => range !== null)
  const ordered = found.sort((left, right) => left.from - right.from)
  return ordered.filter((range, index) => index === 0 || range.from >= (ordered[index - 1]?.to ?? 0))
}

interface BytesProps {
  readonly title: string
  readonly hex: string
  readonly marks: readonly ByteRange[]
  readonly testId: string
}

function Bytes({ title, hex, marks, testId }: BytesProps) {
  const { t, f } = useLanguage()
  const pairs = bytePairs(hex)
  const text = (from: number, to?: number) => pairs.slice(from, to).join(' ').toLocaleUpperCase('en')
  const lastEnd = marks.at(-1)?.to ?? 0
  return (
    <>
      <div className="dim" style={{ fontSize: 12, lineHeight: '16px' }}>
        {title}, {t.explain.bytes(f.count(pairs.length))}
      </div>
      <div className="hex" data-testid={testId} data-hex={hex}>
        {marks.map((mark, index) => (
          <span key={mark.from}>
            {text(marks[index - 1]?.to ?? 0, mark.from)} <mark title={t.explain.located}>{text(mark.from, mark.to)}</mark>{' '}
          </span>
        ))}
        {text(lastEnd)}
      </div>
    </>
  )
}
