import type { TariffDetail } from '@endeks/billing-api/contract'
import { useQuery } from '@tanstack/react-query'
import { useParams } from 'react-router'
import { queries } from '../../api/queries.js'
import type { Column } from '../../components/column.js'
import { CopyButton } from '../../components/copy-button.js'
import { Page, Section } from '../../components/page.js'
import { PlainTable } from '../../components/plain-table.js'
import { Region } from '../../components/region.js'
import { unitName } from '../../format/number.js'
import { known } from '../../i18n/known.js'
import { useLanguage } from '../../i18n/language.js'
import { billingTabs } from '../tabs.js'
import { newest } from '../tariffs/tariffs-page.js'
import { type ShownComponent, shownComponents, unitOf } from './components.js'

export function TariffPage() {
  const { t, f, language } = useLanguage()
  const { code = '' } = useParams()
  const tariff = useQuery(queries.tariff(code))
  const data = tariff.data
  const version = data === undefined ? undefined : newest(data)
  return (
    <Page
      title={data === undefined ? code : data.name[language]}
      tabs={billingTabs(t)}
      facts={
        data === undefined ? undefined : (
          <>
            <span className="mono">{data.code}</span>
            {version !== undefined && <span>{`${version.version}, ${t.explain.validFrom(f.day(version.validFrom))}`}</span>}
            <span>
              {t.tariffs.subscriptions} {f.count(data.subscriptions)}
            </span>
          </>
        )
      }
    >
      <Region query={tariff} height={300}>
        {(given) => <Body tariff={given} />}
      </Region>
    </Page>
  )
}

function Body({ tariff }: { readonly tariff: TariffDetail }) {
  const { t, f, language } = useLanguage()
  const unit = unitOf(tariff.document)
  const shown = shownComponents(tariff.document)
  const components: Column<ShownComponent>[] = [
    { key: 'name', head: t.tariffs.component, cell: (row) => row.name[language] },
    { key: 'kind', head: t.tariffs.kind, cell: (row) => known(t.tariffs.kinds, row.kind), from: 'mid' },
    {
      key: 'price',
      head: `${t.tariffs.price}${unit === '' ? '' : ` / ${unitName(unit)}`}`,
      cell: (row) => <Price component={row} all={shown} />
    },
    { key: 'kdv', head: t.tariffs.kdv, cell: (row) => row.kdv }
  ]
  const versions: Column<TariffDetail['versions'][number]>[] = [
    { key: 'version', head: t.tariffs.version, cell: (row) => row.version },
    { key: 'from', head: t.tariffs.validFrom, cell: (row) => f.day(row.validFrom) },
    { key: 'published', head: t.tariffs.publishedAt, cell: (row) => `${f.minute(row.publishedAt)}, ${row.publishedBy}`, from: 'mid' },
    {
      key: 'hash',
      head: t.tariffs.hash,
      cell: (row) => (
        <span className="mono" style={{ display: 'inline-flex', alignItems: 'center' }} title={row.hash}>
          {row.hash.slice(0, 12)}
          <CopyButton text={row.hash} />
        </span>
      )
    }
  ]
  return (
    <div style={{ display: 'flex', flexDirection: 'column', gap: 16 }}>
      <Section title={t.tariffs.components}>
        <PlainTable label={t.tariffs.components} columns={components} rows={shown} rowKey={(row) => row.code} />
      </Section>
      <Section title={t.tariffs.versions}>
        <PlainTable label={t.tariffs.versions} columns={versions} rows={tariff.versions} rowKey={(row) => row.version} />
      </Section>
      <details>
        <summary>{t.tariffs.document}</summary>
        <pre className="document">{JSON.stringify(tariff.document, null, 2)}</pre>
      </details>
    </div>
  )
}

/** Tiers with their bounds, a share of other components, or an amount for a time; anything else as it was published. */
function Price({ component, all }: { readonly component: ShownComponent; readonly all: readonly ShownComponent[] }) {
  const { t, f, language } = useLanguage()
  const { tiers, terms } = component
  if (tiers.length > 0) {
    return tiers.map((tier) => (
      <div key={tier.from}>
        <span className="dim">{`${f.exact(tier.from, 0)} - ${tier.to === null ? t.tariffs.rest : f.exact(tier.to, 0)}`}</span>{' '}
        <b style={{ fontWeight: 500 }}>{f.rate(tier.price)}</b>
      </div>
    ))
  }
  if (terms.ratio !== '') {
    const names = terms.of.map((code) => all.find((each) => each.code === code)?.name[language] ?? code)
    return `${names.join(' + ')} × ${terms.ratio}`
  }
  if (terms.amount !== '') return t.explain.fixedPer(f.amount(terms.amount), known(t.explain.periods, terms.per))
  return <span style={{ overflowWrap: 'anywhere' }}>{component.rest}</span>
}
