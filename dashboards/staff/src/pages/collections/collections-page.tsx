import { Page } from '../../components/page.js'
import { useLanguage } from '../../i18n/language.js'
import { collectionTabs } from '../tabs.js'
import { CollectionList } from './collection-list.js'

export function CollectionsPage() {
  const { t } = useLanguage()
  return (
    <Page title={t.collections.title} tabs={collectionTabs(t)} fixed>
      <CollectionList />
    </Page>
  )
}
