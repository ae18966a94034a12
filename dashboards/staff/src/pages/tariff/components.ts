export interface Terms {
  readonly of: readonly string[]
  readonly ratio: string
  readonly amount: string
  readonly per: string
}

/** What the page shows of a component; the document itself is shown whole below it. */
export interface ShownComponent {
  readonly code: string
  readonly name: { readonly tr: string; readonly en: string }
  readonly kind: string
  readonly kdv: string
  readonly tiers: readonly { readonly from: string; readonly to: string | null; readonly price: string }[]
  readonly terms: Terms
  /** whatever else the kind has, as published */
  readonly rest: string
}

type Fields = Readonly<Record<string, unknown>>

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const text = (value: unknown) => (typeof value === 'string' || typeof value === 'number' ? String(value) : '')

/** A tariff is data of the engine's own schema; what the page does not know of a component it shows as it stands. */
export function shownComponents(document: unknown): ShownComponent[] {
  if (!isFields(document) || !Array.isArray(document['components'])) return []
  return document['components'].filter(isFields).map(shown)
}

function shown(component: Fields): ShownComponent {
  const { code, name, kind, kdv, tiers, ...rest } = component
  const names = isFields(name) ? name : {}
  return {
    code: text(code),
    name: { tr: text(names['tr']) || text(code), en: text(names['en']) || text(code) },
    kind: text(kind),
    kdv: text(kdv),
    tiers: Array.isArray(tiers)
      ? tiers.filter(isFields).map((tier) => ({
          from: text(tier['from']),
          to: tier['to'] === undefined ? null : text(tier['to']),
          price: text(tier['price'])
        }))
      : [],
    terms: termsOf(component),
    rest: Object.entries(rest)
      .map(([key, value]) => `${key}: ${typeof value === 'string' || typeof value === 'number' ? value : JSON.stringify(value)}`)
      .join(', ')
  }
}

export function unitOf(document: unknown): string {
  return isFields(document) ? text(document['unit']) : ''
}

/** The terms of a component that has no tiers: a share of others, or an amount for a time. Empty where it has none. */
export function termsOf(component: unknown): {
  readonly of: readonly string[]
  readonly ratio: string
  readonly amount: string
  readonly per: string
} {
  if (!isFields(component)) return { of: [], ratio: '', amount: '', per: '' }
  const { of } = component
  return {
    of: Array.isArray(of) ? of.map(text) : [],
    ratio: text(component['ratio']),
    amount: text(component['amount']),
    per: text(component['per'])
  }
}
