import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from 'react'
import { type Language, type NumberFormats, numberFormats } from '../format/number.js'
import { type TimeFormats, timeFormats } from '../format/time.js'
import { type Catalogue, catalogues } from './catalogues.js'
import type { Messages } from './tr.js'

export type Formats = NumberFormats & TimeFormats

interface LanguageValue {
  readonly language: Language
  readonly setLanguage: (language: Language) => void
  /** words */
  readonly t: Messages
  readonly catalogue: Catalogue
  /** numbers and times */
  readonly f: Formats
  /** the utility's zone and currency, known once the overview is there */
  readonly setSite: (site: Site) => void
}

export interface Site {
  readonly zone: string
  readonly currency: string
}

const storageKey = 'endeks.language'
const LanguageContext = createContext<LanguageValue | null>(null)

function storedLanguage(): Language {
  return localStorage.getItem(storageKey) === 'en' ? 'en' : 'tr'
}

/** The language is kept per browser; the document's `lang` follows it, so that a screen reader speaks it. */
export function LanguageProvider({ children }: { readonly children: ReactNode }) {
  const [language, setStored] = useState<Language>(storedLanguage)
  const [site, setSite] = useState<Site>({ zone: 'Europe/Istanbul', currency: 'TRY' })
  useEffect(() => {
    document.documentElement.lang = language
  }, [language])
  const value = useMemo<LanguageValue>(() => {
    const catalogue = catalogues[language]
    return {
      language,
      setLanguage: (chosen) => {
        localStorage.setItem(storageKey, chosen)
        setStored(chosen)
      },
      t: catalogue.messages,
      catalogue,
      f: { ...numberFormats(language, site.currency), ...timeFormats(language, site.zone) },
      setSite: (next) => setSite((old) => (old.zone === next.zone && old.currency === next.currency ? old : next))
    }
  }, [language, site])
  return <LanguageContext value={value}>{children}</LanguageContext>
}

export function useLanguage(): LanguageValue {
  const value = useContext(LanguageContext)
  if (value === null) throw new Error('useLanguage stands outside LanguageProvider')
  return value
}
