import { Button, NativeSelect, Popover, TextInput } from '@mantine/core'
import { useHotkeys } from '@mantine/hooks'
import { type FormEvent, useState } from 'react'
import { useSearchParams } from 'react-router'
import { useLetters } from '../../app/preferences.js'
import { CloseIcon } from '../../components/icons.js'
import { parseMoney } from '../../format/parse-money.js'
import { useLanguage } from '../../i18n/language.js'
import { type FilterName, filterNames, isStatus, readFilter, statuses } from './filter.js'

/** The filter as chips; each goes with one press, and the address is the filter. */
export function FilterBar({ locked }: { readonly locked: string | undefined }) {
  const { t } = useLanguage()
  const letters = useLetters()
  const [parameters, setParameters] = useSearchParams()
  const [adding, setAdding] = useState(false)
  const text = useChipText()
  useHotkeys(letters ? [['c', () => setAdding(true)]] : [])
  const remove = (name: FilterName) =>
    setParameters((old) => {
      const next = new URLSearchParams(old)
      next.delete(name)
      return next
    })
  const shown = filterNames.filter((name) => parameters.has(name) && !(name === 'participant' && locked !== undefined))
  return (
    <div className="chips" data-testid="chips">
      {shown.map((name) => (
        <span key={name} className="chip">
          {text(name, parameters.get(name) ?? '')}
          <button type="button" onClick={() => remove(name)} aria-label={`${t.common.remove}: ${text(name, parameters.get(name) ?? '')}`}>
            <CloseIcon size={14} />
          </button>
        </span>
      ))}
      <Popover opened={adding} onChange={setAdding} position="bottom-start" trapFocus shadow="md" width={320}>
        <Popover.Target>
          <Button
            variant="default"
            onClick={() => setAdding(!adding)}
            rightSection={letters ? <kbd>C</kbd> : undefined}
            data-testid="filter-add"
          >
            + {t.common.filter}
          </Button>
        </Popover.Target>
        <Popover.Dropdown>
          <FilterForm locked={locked !== undefined} onDone={() => setAdding(false)} />
        </Popover.Dropdown>
      </Popover>
    </div>
  )
}

function useChipText() {
  const { t, f } = useLanguage()
  return (name: FilterName, value: string): string => {
    if (name === 'status') return t.invoices.chips.status(isStatus(value) ? t.states[value] : value)
    if (name === 'period') return t.invoices.chips.period(/^\d{4}-\d{2}$/.test(value) ? f.month(value) : value)
    if (name === 'issuedFrom' || name === 'issuedTo') return t.invoices.chips[name](f.day(value))
    if (name === 'grossFrom' || name === 'grossTo') return t.invoices.chips[name](f.money(value))
    return t.invoices.chips[name](value)
  }
}

function FilterForm({ locked, onDone }: { readonly locked: boolean; readonly onDone: () => void }) {
  const { t, f } = useLanguage()
  const [parameters, setParameters] = useSearchParams()
  const [draft, setDraft] = useState<Partial<Record<FilterName, string>>>(() => {
    const filter = readFilter(parameters)
    return Object.fromEntries(
      filterNames.flatMap((name) => {
        const value = filter[name]
        if (value === undefined) return []
        return [[name, name === 'grossFrom' || name === 'grossTo' ? f.amount(String(value)) : String(value)]]
      })
    )
  })
  const set = (name: FilterName) => (event: { currentTarget: { value: string } }) =>
    setDraft({ ...draft, [name]: event.currentTarget.value })
  const apply = (event: FormEvent) => {
    event.preventDefault()
    const next = new URLSearchParams()
    for (const name of filterNames) {
      const value = canonical(name, draft[name] ?? '')
      if (value !== '') next.set(name, value)
    }
    setParameters(next)
    onDone()
  }
  const field = (name: FilterName, label: string, type = 'text') => (
    <TextInput label={label} type={type} value={draft[name] ?? ''} onChange={set(name)} data-testid={`filter-${name}`} />
  )
  return (
    <form onSubmit={apply} style={{ display: 'grid', gridTemplateColumns: '1fr 1fr', gap: 8 }}>
      <NativeSelect
        size="xs"
        label={t.invoices.status}
        value={draft.status ?? ''}
        onChange={set('status')}
        data={[{ value: '', label: '' }, ...statuses.map((value) => ({ value, label: t.states[value] }))]}
        data-testid="filter-status"
      />
      {field('period', t.invoices.period, 'month')}
      {field('year', t.invoices.year)}
      {locked ? null : field('participant', t.invoices.registryNo)}
      {field('number', t.invoices.number)}
      {field('issuedFrom', t.invoices.issuedFrom, 'date')}
      {field('issuedTo', t.invoices.issuedTo, 'date')}
      {field('grossFrom', t.invoices.grossFrom)}
      {field('grossTo', t.invoices.grossTo)}
      <Button type="submit" style={{ gridColumn: '1 / -1' }} data-testid="filter-apply">
        {t.invoices.apply}
      </Button>
    </form>
  )
}

function canonical(name: FilterName, text: string): string {
  const value = text.trim()
  if (name === 'number') return value.toLocaleUpperCase('en')
  if (name !== 'grossFrom' && name !== 'grossTo') return value
  const money = parseMoney(value)
  if (money.kind === 'money') return money.value
  return money.kind === 'ambiguous' ? money.thousands : ''
}
