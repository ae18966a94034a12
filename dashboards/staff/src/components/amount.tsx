import { isZero } from '../format/decimal.js'
import { useLanguage } from '../i18n/language.js'
import { WarnMark } from './icons.js'

/** Money in a column: bare, its unit in the head. Zero is dim, so that the eye finds what is not. */
export function Amount({ of, warn = false }: { readonly of: string; readonly warn?: boolean }) {
  const { f } = useLanguage()
  if (isZero(of)) return <span className="dim">{f.amount(of)}</span>
  if (!warn) return f.amount(of)
  return (
    <span className="mark" data-tone="warn">
      <WarnMark size={12} />
      {f.amount(of)}
    </span>
  )
}
