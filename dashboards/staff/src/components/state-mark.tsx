import type { ReactNode } from 'react'
import { useLanguage } from '../i18n/language.js'
import { CheckMark, CrossMark, DotMark, EditedMark, EstimatedMark, RingMark, WarnMark } from './icons.js'

export type Tone = 'ok' | 'warn' | 'bad' | 'info' | 'neutral' | 'estimated'

const shapes = { ok: CheckMark, warn: WarnMark, bad: CrossMark, info: DotMark, neutral: RingMark, estimated: EstimatedMark }

/** A state is a colour, a shape and a word: printed grey or read aloud it stays the same state. */
export function StateMark({ tone, children }: { readonly tone: Tone; readonly children: ReactNode }) {
  const Shape = shapes[tone]
  return (
    <span className="mark" data-tone={tone}>
      <Shape />
      <span>{children}</span>
    </span>
  )
}

const invoiceTones = { open: 'neutral', overdue: 'warn', settled: 'ok' } as const

export function InvoiceStatusMark({ status }: { readonly status: 'open' | 'overdue' | 'settled' }) {
  const { t } = useLanguage()
  return <StateMark tone={invoiceTones[status]}>{t.states[status]}</StateMark>
}

export type RunState = 'freezing' | 'calculating' | 'checking' | 'checked' | 'issuing' | 'issued' | 'failed' | 'abandoned'

const runTones = {
  freezing: 'info',
  calculating: 'info',
  checking: 'info',
  checked: 'warn',
  issuing: 'info',
  issued: 'ok',
  failed: 'bad',
  abandoned: 'neutral'
} as const satisfies Record<RunState, Tone>

export function isRunState(text: string): text is RunState {
  return Object.hasOwn(runTones, text)
}

export function RunStateMark({ state }: { readonly state: string }) {
  const { t } = useLanguage()
  if (!isRunState(state)) return <StateMark tone="neutral">{state}</StateMark>
  return <StateMark tone={runTones[state]}>{t.runs.states[state]}</StateMark>
}

/** Quality of a segment; violet and hatched means "not measured" and nothing else. */
export function QualityMark({ quality }: { readonly quality: string }) {
  const { t } = useLanguage()
  if (quality === 'estimated') return <StateMark tone="estimated">T {t.states.estimated}</StateMark>
  if (quality === 'edited')
    return (
      <span className="mark" data-tone="info">
        <EditedMark />
        <span>{t.states.edited}</span>
      </span>
    )
  return <StateMark tone="ok">{quality === 'measured' ? t.states.measured : quality}</StateMark>
}
