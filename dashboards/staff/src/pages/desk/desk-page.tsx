import { Button, TextInput } from '@mantine/core'
import { useHotkeys } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { type FormEvent, useEffect, useRef, useState } from 'react'
import { Link, useSearchParams } from 'react-router'
import { queries } from '../../api/queries.js'
import { Page } from '../../components/page.js'
import { PaymentForm } from '../../components/payment/payment-form.js'
import { Empty, Region } from '../../components/region.js'
import { useLanguage } from '../../i18n/language.js'
import { collectionTabs } from '../tabs.js'

/** One screen for a queue that watches: a number, the open debts, the money, the receipt, and back to the number. */
export function DeskPage() {
  const { t } = useLanguage()
  const [parameters, setParameters] = useSearchParams()
  const registryNo = parameters.get('participant') ?? ''
  const [typed, setTyped] = useState(registryNo)
  const input = useRef<HTMLInputElement>(null)
  useEffect(() => {
    // nobody stands at the desk: the next number is typed
    if (registryNo === '') input.current?.focus()
  }, [registryNo])
  const focus = () => {
    input.current?.focus()
    input.current?.select()
  }
  useHotkeys([['F2', focus]], [])
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const wanted = typed.trim()
    setParameters(/^\d{1,12}$/.test(wanted) ? { participant: wanted } : {})
  }
  const next = () => {
    setTyped('')
    setParameters({})
  }
  return (
    <Page title={t.desk.title} tabs={collectionTabs(t)}>
      <form onSubmit={submit} style={{ display: 'flex', gap: 8, alignItems: 'end', maxWidth: 420 }}>
        <TextInput
          ref={input}
          label={
            <>
              {t.desk.find} <kbd>F2</kbd>
            </>
          }
          placeholder={t.desk.hint}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
          inputMode="numeric"
          autoComplete="off"
          style={{ flex: 1 }}
          data-testid="desk-participant"
        />
        <Button type="submit">{t.desk.go}</Button>
      </form>
      {registryNo === '' ? <Empty>{t.desk.empty}</Empty> : <Customer key={registryNo} registryNo={registryNo} onNext={next} />}
    </Page>
  )
}

function Customer({ registryNo, onNext }: { readonly registryNo: string; readonly onNext: () => void }) {
  const { f, t } = useLanguage()
  const participant = useQuery(queries.participant(registryNo))
  return (
    <Region query={participant} height={300}>
      {(data) => (
        <div style={{ display: 'flex', flexDirection: 'column', gap: 12, maxWidth: 880 }} data-testid="payment">
          <div className="money-line">
            <Link className="link" to={`/participants/${registryNo}`}>
              <b>{data.name}</b> {registryNo}
            </Link>
            <span>
              {t.participant.debt} <b>{f.money(data.debt)}</b>
            </span>
          </div>
          <PaymentForm registryNo={registryNo} onNext={onNext} />
        </div>
      )}
    </Region>
  )
}
