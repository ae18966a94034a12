import type { ParticipantDetail } from '@endeks/billing-api/contract'
import { Button } from '@mantine/core'
import { useHotkeys } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { type ReactNode, useEffect, useState } from 'react'
import { useParams } from 'react-router'
import { queries } from '../../api/queries.js'
import { useRecent } from '../../app/preferences.js'
import { CopyButton } from '../../components/copy-button.js'
import { Page, Tabs } from '../../components/page.js'
import { PaymentDrawer } from '../../components/payment/payment-drawer.js'
import { Region } from '../../components/region.js'
import { StateMark } from '../../components/state-mark.js'
import { isZero } from '../../format/decimal.js'
import { useLanguage } from '../../i18n/language.js'

/** What stands above the fold on every tab of a participant: who it is, what is owed, and how to take money. */
export function ParticipantFrame({ children }: { readonly children: (participant: ParticipantDetail) => ReactNode }) {
  const { t } = useLanguage()
  const { registryNo = '' } = useParams()
  const participant = useQuery(queries.participant(registryNo))
  const data = participant.data
  const [paying, setPaying] = useState(false)
  const remember = useRecent().remember
  const name = data?.name
  useEffect(() => {
    if (name !== undefined) remember({ registryNo, name })
  }, [registryNo, name, remember])
  useHotkeys([['F8', () => setPaying(true)]], [])
  return (
    <Page
      title={name ?? t.participant.registry(registryNo)}
      mark={data === undefined ? undefined : <ActivityMark participant={data} />}
      facts={data === undefined ? undefined : <Facts participant={data} />}
      actions={
        <Button onClick={() => setPaying(true)} rightSection={<kbd>F8</kbd>} data-testid="pay-open">
          {t.participant.collect}
        </Button>
      }
    >
      <Region query={participant} height={360}>
        {(given) => (
          <div style={{ display: 'flex', flexDirection: 'column', gap: 12 }}>
            <MoneyLine participant={given} />
            <FrameTabs participant={given} />
            {children(given)}
          </div>
        )}
      </Region>
      {paying && <PaymentDrawer registryNo={registryNo} name={name ?? ''} onClose={() => setPaying(false)} />}
    </Page>
  )
}

function ActivityMark({ participant }: { readonly participant: ParticipantDetail }) {
  const { t } = useLanguage()
  const active = participant.subscriptions.some((subscription) => subscription.closedAt === null)
  return active ? <StateMark tone="info">{t.states.active}</StateMark> : <StateMark tone="neutral">{t.states.closed}</StateMark>
}

function Facts({ participant }: { readonly participant: ParticipantDetail }) {
  const { t } = useLanguage()
  const properties = [...new Set(participant.subscriptions.map((subscription) => subscription.property))]
  const { taxNumber } = participant
  return (
    <>
      <span style={{ display: 'inline-flex', alignItems: 'center', gap: 4 }}>
        {t.participant.registry(participant.registryNo)}
        <CopyButton text={participant.registryNo} />
      </span>
      {taxNumber !== null && (
        <span className="mono">
          {participant.kind === 'organisation' ? t.participant.taxNumber(taxNumber) : t.participant.nationalId(taxNumber)}
        </span>
      )}
      <span>{t.states[participant.ownershipStatus]}</span>
      {properties.length > 0 && <span>{properties.join(', ')}</span>}
    </>
  )
}

function MoneyLine({ participant }: { readonly participant: ParticipantDetail }) {
  const { t, f } = useLanguage()
  const overdue = !isZero(participant.overdue)
  return (
    <div className="money-line" data-testid="money">
      <span>
        {t.participant.debt} <b data-testid="debt">{f.money(participant.debt)}</b>
      </span>
      {overdue && (
        <span>
          {t.participant.overdue} <b>{f.money(participant.overdue)}</b>
        </span>
      )}
      {overdue && <StateMark tone="warn">{t.participant.overdueDays(f.count(participant.overdueDays))}</StateMark>}
      {isZero(participant.debt) && <StateMark tone="ok">{t.participant.noDebt}</StateMark>}
    </div>
  )
}

function FrameTabs({ participant }: { readonly participant: ParticipantDetail }) {
  const { t, f } = useLanguage()
  const base = `/participants/${participant.registryNo}`
  return (
    <Tabs
      tabs={[
        { to: base, label: t.participant.summary, end: true },
        { to: `${base}/subscriptions`, label: t.participant.tabSubscriptions(f.count(participant.subscriptions.length)) },
        { to: `${base}/invoices`, label: t.participant.tabInvoices(f.count(participant.invoices)) },
        { to: `${base}/collections`, label: t.participant.tabCollections(f.count(participant.collections)) }
      ]}
    />
  )
}
