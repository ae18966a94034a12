import { Link } from 'react-router'
import { Page } from '../../components/page.js'
import { useLanguage } from '../../i18n/language.js'

export function NotFoundPage() {
  const { t } = useLanguage()
  return (
    <Page title={t.notFound.title}>
      <p style={{ margin: 0 }}>{t.notFound.text}</p>
      <Link className="link" to="/">
        {t.notFound.home}
      </Link>
    </Page>
  )
}
