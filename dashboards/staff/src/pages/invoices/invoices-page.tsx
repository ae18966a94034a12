import { Page } from '../../components/page.js'
import { useLanguage } from '../../i18n/language.js'
import { billingTabs } from '../tabs.js'
import { InvoiceList } from './invoice-list.js'

export function InvoicesPage() {
  const { t } = useLanguage()
  return (
    <Page title={t.invoices.title} tabs={billingTabs(t)} fixed>
      <InvoiceList />
    </Page>
  )
}
