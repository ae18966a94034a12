import Type, { type Static } from 'typebox'
import { CalendarDate, Hash, Instant, Names } from '../shared.js'

export const TariffParams = Type.Object({ code: Type.String({ maxLength: 32 }) })
export const RateScheduleRow = Type.Object({
  version: Type.String(),
  validFrom: CalendarDate,
  hash: Hash,
  publishedAt: Instant,
  publishedBy: Type.String()
})
export const TariffRow = Type.Object({
  code: Type.String(),
  name: Names,
  subscriptions: Type.Integer(),
  versions: Type.Array(RateScheduleRow)
})
export type TariffRow = Static<typeof TariffRow>
export const TariffList = Type.Object({ items: Type.Array(TariffRow) })
export const TariffDetail = Type.Object({
  ...TariffRow.properties,
  /** the newest version's document, as published */
  document: Type.Unknown()
})
export type TariffDetail = Static<typeof TariffDetail>
/** The document is held against the tariff engine's own schema and its worked examples, not against one written here. */
export const PublishTariff = Type.Object({ document: Type.Unknown() }, { additionalProperties: false })
export const Published = Type.Object({ code: Type.String(), version: Type.String(), hash: Hash })
export type Published = Static<typeof Published>
