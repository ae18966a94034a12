import type { Explanation, InvoiceDetail } from '@endeks/billing-api/contract'
import { useQuery } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import { queries } from '../../api/queries.js'
import { Section } from '../../components/page.js'
import { Empty, Region } from '../../components/region.js'
import { StateMark } from '../../components/state-mark.js'
import { useLanguage } from '../../i18n/language.js'
import { ChainStep } from './step-chain.js'
import { ConsumptionStep } from './step-consumption.js'
import { IndexStep } from './step-index.js'
import { PriceStep } from './step-price.js'
import { TelegramStep } from './step-telegram.js'

/** The right half: one line opened step by step, from its amount down to the bytes of the meter. */
export function ExplanationPanel({ invoice, line }: { readonly invoice: InvoiceDetail; readonly line: number | null }) {
  const { t } = useLanguage()
  if (line === null) {
    return (
      <Section title={t.invoice.explain}>
        <Empty>{t.invoice.choose}</Empty>
      </Section>
    )
  }
  return <Opened key={line} invoice={invoice} line={line} />
}

function Opened({ invoice, line }: { readonly invoice: InvoiceDetail; readonly line: number }) {
  const { t, f, language } = useLanguage()
  const explanation = useQuery(queries.explanation(invoice.label, line))
  const start = useRef<HTMLDivElement>(null)
  const shown = explanation.data !== undefined
  useEffect(() => {
    // beside the document it is in sight already; under it, on a phone, it is not
    if (shown && window.matchMedia('(max-width: 1023px)').matches) start.current?.scrollIntoView({ block: 'start' })
  }, [shown])
  const charge = invoice.lines.find((each) => each.line === line)
  return (
    <div ref={start} data-testid="explanation">
      <Section title={t.invoice.explaining(charge?.name[language] ?? '', charge === undefined ? '' : f.money(charge.net))}>
        <Region query={explanation} height={400}>
          {(data) => (
            <>
              <ChainSummary chain={data.chain} />
              <PriceStep explanation={data} invoice={invoice} />
              <ConsumptionStep explanation={data} />
              <IndexStep explanation={data} />
              <TelegramStep explanation={data} />
              <ChainStep explanation={data} />
            </>
          )}
        </Region>
      </Section>
    </div>
  )
}

function ChainSummary({ chain }: { readonly chain: Explanation['chain'] }) {
  const { t, f } = useLanguage()
  const broken = chain.filter((link) => !link.ok)
  return (
    <div
      className="note"
      data-tone={broken.length === 0 ? 'ok' : 'bad'}
      style={{ marginBottom: 8 }}
      data-testid="chain"
      data-ok={broken.length === 0}
    >
      {broken.length === 0 ? (
        <StateMark tone="ok">{t.explain.chainHolds(f.count(chain.length))}</StateMark>
      ) : (
        <StateMark tone="bad">{t.explain.chainBroken(broken.map((link) => t.explain.links[link.link]).join(', '))}</StateMark>
      )}
    </div>
  )
}
