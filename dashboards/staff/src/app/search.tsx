import { useDebouncedValue } from '@mantine/hooks'
import { Spotlight } from '@mantine/spotlight'
import { useQuery } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import { useNavigate } from 'react-router'
import { queries } from '../api/queries.js'
import { SearchIcon } from '../components/icons.js'
import { findFolded } from '../format/fold.js'
import { useLanguage } from '../i18n/language.js'
import { useRecent } from './preferences.js'

/** From three digits or two letters on; fewer would find everybody. */
export function isEnough(text: string): boolean {
  const typed = text.trim()
  return /^\d+$/.test(typed) ? typed.length >= 3 : typed.length >= 2
}

interface Hit {
  readonly registryNo: string
  readonly name: string
  readonly note: string
}

/** Ctrl+K: the server searches; old results stay until the new ones come; an exact number stands first. */
export function Search() {
  const { t, f } = useLanguage()
  const navigate = useNavigate()
  const { recent } = useRecent()
  const [typed, setTyped] = useState('')
  const [sought] = useDebouncedValue(typed.trim(), 120)
  const enough = isEnough(sought)
  const found = useQuery({ ...queries.find(sought), enabled: enough })
  const hits: Hit[] = enough
    ? exactFirst(found.data?.items ?? [], sought).map((row) => ({
        registryNo: row.registryNo,
        name: row.name,
        note: [...row.properties, t.search.debt(f.money(row.debt))].join(' · ')
      }))
    : recent.map((each) => ({ ...each, note: '' }))
  const open = (registryNo: string) => {
    setTyped('')
    void navigate(`/participants/${registryNo}`)
  }
  return (
    <Spotlight.Root
      query={typed}
      onQueryChange={setTyped}
      shortcut={['mod + K']}
      maxHeight={420}
      scrollable
      radius={4}
      tagsToIgnore={[]}
      overlayProps={{ blur: 0, backgroundOpacity: 0.3 }}
    >
      <Spotlight.Search placeholder={t.search.placeholder} leftSection={<SearchIcon />} aria-label={t.nav.search} data-testid="search" />
      <Spotlight.ActionsList>
        {!enough && hits.length > 0 && (
          <div className="dim" style={{ padding: '4px 12px', fontSize: 12 }}>
            {t.search.recent}
          </div>
        )}
        {hits.map((hit) => (
          <Spotlight.Action key={hit.registryNo} onClick={() => open(hit.registryNo)} data-testid="search-hit">
            <span style={{ display: 'flex', width: '100%', gap: 12, flexWrap: 'wrap' }}>
              <span className="mono">
                <Marked text={hit.registryNo} needle={enough ? sought : ''} />
              </span>
              <span style={{ flex: 1, minWidth: 160 }}>
                <Marked text={hit.name} needle={enough ? sought : ''} />
              </span>
              <span className="dim">{hit.note}</span>
            </span>
          </Spotlight.Action>
        ))}
        {hits.length === 0 && (
          <Spotlight.Empty>{enough ? (found.isFetching ? t.common.loading : t.search.nothing) : t.search.hint}</Spotlight.Empty>
        )}
      </Spotlight.ActionsList>
    </Spotlight.Root>
  )
}

function exactFirst<Row extends { readonly registryNo: string }>(rows: readonly Row[], sought: string): Row[] {
  return [...rows.filter((row) => row.registryNo === sought), ...rows.filter((row) => row.registryNo !== sought)]
}

/** The part that matched, marked in whatever spelling it was found. */
function Marked({ text, needle }: { readonly text: string; readonly needle: string }): ReactNode {
  const place = findFolded(text, needle)
  if (place === null) return text
  return (
    <>
      {text.slice(0, place[0])}
      <b>{text.slice(place[0], place[1])}</b>
      {text.slice(place[1])}
    </>
  )
}
