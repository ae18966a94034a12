import type { RunDetail } from '@endeks/billing-api/contract'
import { StateMark, type Tone } from '../../components/state-mark.js'
import { useLanguage } from '../../i18n/language.js'

const names = ['draft', 'checks', 'approval', 'issue'] as const

/** Which of the four steps a state stands in; 4 is behind all of them. */
const standing: Readonly<Record<RunDetail['state'], number>> = {
  freezing: 0,
  calculating: 0,
  checking: 1,
  checked: 2,
  issuing: 3,
  issued: 4,
  failed: 1,
  abandoned: 0
}

function toneOf(step: number, at: number, state: RunDetail['state']): Tone {
  if (step < at) return 'ok'
  if (step > at) return 'neutral'
  if (state === 'failed') return 'bad'
  return state === 'checked' ? 'warn' : 'info'
}

export function Steps({ run }: { readonly run: RunDetail }) {
  const { t, f } = useLanguage()
  const at = standing[run.state]
  const { done, total, perSecond, secondsLeft } = run.progress
  const percent = total === 0 ? 0 : Math.floor((done * 100) / total)
  const moving = run.state !== 'checked' && at < 4 && run.state !== 'failed' && run.state !== 'abandoned'
  return (
    <div>
      <div style={{ display: 'flex', flexWrap: 'wrap', gap: '4px 24px', alignItems: 'center' }}>
        <ol className="steps" data-testid="steps">
          {names.map((name, step) => (
            <li key={name} aria-current={step === at ? 'step' : undefined}>
              <StateMark tone={toneOf(step, at, run.state)}>{t.runs.steps[name]}</StateMark>
            </li>
          ))}
        </ol>
        {moving && (
          <span data-testid="progress" role="status">
            {t.run.progress(f.count(done), f.count(total))}
            {perSecond > 0 && <span className="dim"> · {t.run.rate(f.whole(perSecond.toFixed(0)))}</span>}
            {secondsLeft !== null && <span className="dim"> · {t.run.left(f.whole(secondsLeft.toFixed(0)))}</span>}
          </span>
        )}
      </div>
      {moving && (
        <div className="bar" style={{ marginTop: 8 }} role="progressbar" aria-valuenow={percent} aria-valuemin={0} aria-valuemax={100}>
          <div style={{ width: `${percent}%` }} />
        </div>
      )}
    </div>
  )
}
