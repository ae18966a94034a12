import { Button, TextInput } from '@mantine/core'
import type { Ref } from 'react'
import { parseMoney } from '../format/parse-money.js'
import { useLanguage } from '../i18n/language.js'

interface MoneyInputProps {
  readonly label: string
  /** as typed; the parent keeps the text, so that nothing typed is lost */
  readonly value: string
  readonly onChange: (text: string) => void
  readonly disabled?: boolean
  readonly testId?: string
  readonly inputRef?: Ref<HTMLInputElement>
}

/** Text, never a number: what was typed is read in both ways of writing, and asked about where it has two meanings. */
export function MoneyInput({ label, value, onChange, disabled = false, testId, inputRef }: MoneyInputProps) {
  const { t, f } = useLanguage()
  const typed = parseMoney(value)
  return (
    <div>
      <TextInput
        label={label}
        value={value}
        onChange={(event) => onChange(event.currentTarget.value)}
        inputMode="decimal"
        autoComplete="off"
        disabled={disabled}
        error={typed.kind === 'invalid' ? t.pay.invalid : undefined}
        data-testid={testId}
        ref={inputRef}
        styles={{ input: { textAlign: 'right', fontSize: 16, height: 36 } }}
        rightSection="₺"
      />
      {typed.kind === 'ambiguous' && (
        <div className="note" role="alert" style={{ marginTop: 4 }}>
          {t.pay.ambiguous(value)}{' '}
          <Button variant="default" size="compact-xs" onClick={() => onChange(f.amount(typed.thousands))}>
            {f.money(typed.thousands)}
          </Button>{' '}
          <Button variant="default" size="compact-xs" onClick={() => onChange(f.amount(typed.fraction))}>
            {f.money(typed.fraction)}
          </Button>
        </div>
      )}
    </div>
  )
}
