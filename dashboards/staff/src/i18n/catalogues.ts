import type { Language } from '../format/number.js'
import { en } from './en.js'
import type { ErrorTexts } from './error-codes.js'
import { errorsEn } from './errors-en.js'
import { errorsTr } from './errors-tr.js'
import { type Messages, tr } from './tr.js'

export interface Catalogue {
  readonly messages: Messages
  readonly errors: ErrorTexts
}

export const catalogues: Readonly<Record<Language, Catalogue>> = {
  tr: { messages: tr, errors: errorsTr },
  en: { messages: en, errors: errorsEn }
}

/** The text of a code; a code that this version does not know keeps the server's own words. */
export function errorText(catalogue: Catalogue, code: string, fallback: string): string {
  return Object.entries(catalogue.errors).find(([known]) => known === code)?.[1] ?? fallback
}
