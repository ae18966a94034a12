import { useNetwork } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { queries } from '../api/queries.js'
import { useLanguage } from '../i18n/language.js'

/** Without a connection what was fetched stays readable, says of when it is, and nothing can be saved. */
export function OfflineBanner() {
  const { t, f } = useLanguage()
  const { online } = useNetwork()
  const overview = useQuery({ ...queries.overview(), enabled: false })
  if (online) return null
  return (
    <div className="note" role="status" style={{ borderRadius: 0 }}>
      {t.common.offline(overview.dataUpdatedAt === 0 ? '' : f.clock(overview.dataUpdatedAt))}
    </div>
  )
}
