/** What the page shows of a component; the document itself is shown whole below it. */
export interface ShownComponent {
  readonly code: string
  readonly name: { readonly tr: string; readonly en: string }
  readonly kind: string
  readonly kdv: string
  readonly tiers: readonly { readonly from: string; readonly to: string | null; readonly price: string }[]
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
    rest: Object.entries(rest)
      .map(([key, value]) => `${key}: ${typeof value === 'string' || typeof value === 'number' ? value : JSON.stringify(value)}`)
      .join(', ')
  }
}

export function unitOf(document: unknown): string {
  return isFields(document) ? text(document['unit']) : ''
}
