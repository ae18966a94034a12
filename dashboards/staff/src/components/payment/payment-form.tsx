import type { Collection, InvoiceRow } from '@endeks/billing-api/contract'
import { Button, Checkbox } from '@mantine/core'
import { useHotkeys } from '@mantine/hooks'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useCallback, useEffect, useRef, useState } from 'react'
import { mutations } from '../../api/mutations.js'
import { queries } from '../../api/queries.js'
import { type MoneyMutation, useMoneyMutation } from '../../api/use-money-mutation.js'
import { parseMoney } from '../../format/parse-money.js'
import { compareMoney, layOn, subtractMoney, sumMoney } from '../../format/sum.js'
import { useLanguage } from '../../i18n/language.js'
import type { Column } from '../column.js'
import { MoneyInput } from '../money-input.js'
import { PlainTable } from '../plain-table.js'
import { ProblemPanel } from '../problem-panel.js'
import { Empty, Region } from '../region.js'
import { InvoiceStatusMark } from '../state-mark.js'
import { Receipt } from './receipt.js'

interface PaymentFormProps {
  readonly registryNo: string
  /** tick this invoice alone; without it, all of them */
  readonly only?: string
  /** where to go after the receipt; without it, the form opens again */
  readonly onNext?: () => void
}

type Body = Parameters<typeof mutations.collect>[1]

/** Open debts ticked, money handed over, change to give back; the receipt is the server's and nothing stands for it before. */
export function PaymentForm({ registryNo, only, onNext }: PaymentFormProps) {
  const client = useQueryClient()
  const open = useQuery(queries.openInvoices(registryNo))
  const onDone = useCallback(() => {
    for (const key of ['participant', 'participants', 'invoices', 'invoice', 'collections', 'overview', 'open-invoices']) {
      void client.invalidateQueries({ queryKey: [key] })
    }
  }, [client])
  const payment = useMoneyMutation<Body, Collection>(mutations.collect, onDone)
  if (payment.state.phase === 'done') {
    return <Receipt collection={payment.state.document} onNext={onNext ?? payment.reset} />
  }
  return (
    <Region query={open} height={240}>
      {(rows) => <OpenDebts rows={rows} registryNo={registryNo} only={only} payment={payment} />}
    </Region>
  )
}

interface OpenDebtsProps {
  readonly rows: readonly InvoiceRow[]
  readonly registryNo: string
  readonly only: string | undefined
  readonly payment: MoneyMutation<Body, Collection>
}

function OpenDebts({ rows, registryNo, only, payment }: OpenDebtsProps) {
  const { t } = useLanguage()
  const [unticked, setUnticked] = useState<ReadonlySet<string>>(
    () => new Set(only === undefined ? [] : rows.filter((row) => row.id !== only).map((row) => row.id))
  )
  const [received, setReceived] = useState('')
  const chosen = rows.filter((row) => !unticked.has(row.id))
  const due = sumMoney(chosen.map((row) => row.open))
  const typed = parseMoney(received)
  const given = typed.kind === 'money' ? typed.value : null
  const locked = payment.state.phase !== 'open'
  const ready = !locked && given !== null && chosen.length > 0 && compareMoney(given, '0') > 0
  const collect = () => {
    if (!ready || given === null) return
    const taken = compareMoney(given, due) > 0 ? due : given
    payment.submit({ participant: registryNo, method: 'cash', invoices: layOn(taken, chosen) })
  }
  useHotkeys([['F8', collect]], [])
  const tick = (ids: readonly string[], on: boolean) =>
    setUnticked((old) => {
      const next = new Set(old)
      for (const id of ids) {
        if (on) next.delete(id)
        else next.add(id)
      }
      return next
    })
  if (rows.length === 0) return <Empty>{t.pay.noDebt}</Empty>
  return (
    <div style={{ display: 'flex', flexDirection: 'column', gap: 16 }}>
      <DebtTable rows={rows} isTicked={(id) => !unticked.has(id)} onTick={tick} locked={locked} />
      <Till due={due} received={received} onReceived={setReceived} given={given} locked={locked} />
      {chosen.length === 0 && <div className="note">{t.pay.nothingSelected}</div>}
      <Outcome payment={payment} />
      <Button size="md" onClick={collect} disabled={!ready} rightSection={<kbd>F8</kbd>} data-testid="pay-submit">
        {payment.state.phase === 'saving' ? t.pay.saving : payment.state.phase === 'checking' ? t.pay.checking : t.pay.collect}
      </Button>
    </div>
  )
}

interface DebtTableProps {
  readonly rows: readonly InvoiceRow[]
  readonly isTicked: (id: string) => boolean
  readonly onTick: (ids: readonly string[], on: boolean) => void
  readonly locked: boolean
}

function DebtTable({ rows, isTicked, onTick, locked }: DebtTableProps) {
  const { t, f } = useLanguage()
  const all = rows.every((row) => isTicked(row.id))
  const columns: Column<InvoiceRow>[] = [
    {
      key: 'tick',
      head: (
        <Checkbox
          size="xs"
          checked={all}
          disabled={locked}
          onChange={(event) =>
            onTick(
              rows.map((row) => row.id),
              event.currentTarget.checked
            )
          }
          aria-label={t.pay.selectAll}
        />
      ),
      cell: (row) => (
        <Checkbox
          size="xs"
          checked={isTicked(row.id)}
          disabled={locked}
          onChange={(event) => onTick([row.id], event.currentTarget.checked)}
          aria-label={t.pay.select(row.label)}
          data-testid={`tick-${row.label}`}
        />
      )
    },
    { key: 'label', head: t.invoices.number, cell: (row) => <span className="mono">{row.label}</span> },
    { key: 'period', head: t.invoices.period, cell: (row) => f.shortMonth(row.period), from: 'mid' },
    { key: 'due', head: t.invoices.dueDate, cell: (row) => f.day(row.dueDate), from: 'mid' },
    { key: 'status', head: t.invoices.status, cell: (row) => <InvoiceStatusMark status={row.status} />, from: 'mid' },
    { key: 'open', head: t.invoices.open, cell: (row) => f.amount(row.open), align: 'right' }
  ]
  return <PlainTable label={t.pay.open} columns={columns} rows={rows} rowKey={(row) => row.id} testId="open-invoice" />
}

interface TillProps {
  readonly due: string
  readonly received: string
  readonly onReceived: (text: string) => void
  readonly given: string | null
  readonly locked: boolean
}

function Till({ due, received, onReceived, given, locked }: TillProps) {
  const { t, f } = useLanguage()
  const input = useRef<HTMLInputElement>(null)
  useEffect(() => {
    input.current?.focus()
  }, [])
  const short = given !== null && compareMoney(given, due) < 0
  return (
    <div style={{ display: 'grid', gridTemplateColumns: 'repeat(auto-fit, minmax(min(240px, 100%), 1fr))', gap: 16, alignItems: 'end' }}>
      <div style={{ gridColumn: '1 / -1' }}>
        <div className="dim" style={{ fontSize: 12, lineHeight: '16px' }}>
          {t.pay.due} · {t.pay.method}
        </div>
        <div className="big" data-testid="pay-due">
          {f.money(due)}
        </div>
      </div>
      <MoneyInput label={t.pay.received} value={received} onChange={onReceived} disabled={locked} testId="pay-received" inputRef={input} />
      <div aria-live="polite">
        <div className="dim" style={{ fontSize: 12, lineHeight: '16px' }}>
          {short ? t.pay.missing : t.pay.change}
        </div>
        <div className="big" data-testid="pay-change">
          {given === null ? '' : f.money(short ? subtractMoney(due, given) : subtractMoney(given, due))}
        </div>
      </div>
      {short && (
        <div className="note" style={{ gridColumn: '1 / -1' }}>
          {t.pay.part(f.money(given))}
        </div>
      )}
    </div>
  )
}

function Outcome({ payment }: { readonly payment: MoneyMutation<Body, Collection> }) {
  const { t } = useLanguage()
  const { state } = payment
  if (state.phase === 'open') return state.failure === null ? null : <ProblemPanel failure={state.failure} />
  if (state.phase === 'unknown') {
    return (
      <div className="note" role="alert" data-testid="pay-unknown">
        {t.pay.unknown}{' '}
        <Button variant="default" size="compact-xs" onClick={payment.askAgain}>
          {t.pay.askAgain}
        </Button>
      </div>
    )
  }
  return (
    <div className="note" role="status">
      {state.phase === 'saving' ? t.pay.saving : t.pay.checking}
    </div>
  )
}
