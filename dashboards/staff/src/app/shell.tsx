import { ActionIcon, AppShell } from '@mantine/core'
import { useDisclosure, useHotkeys, useLocalStorage, useOs } from '@mantine/hooks'
import { spotlight } from '@mantine/spotlight'
import { useQuery } from '@tanstack/react-query'
import { lazy, Suspense, useEffect } from 'react'
import { Link, Outlet, useLocation, useNavigate } from 'react-router'
import { queries } from '../api/queries.js'
import { FoldIcon, MenuIcon, SearchIcon } from '../components/icons.js'
import { LateSkeleton } from '../components/region.js'
import { useLanguage } from '../i18n/language.js'
import { KeyList } from './key-list.js'
import { OfflineBanner } from './offline-banner.js'
import { isCurrent, places } from './places.js'
import { UserMenu } from './user-menu.js'

const Search = lazy(async () => ({ default: (await import('./search.js')).Search }))

export function Shell() {
  const { t, setSite } = useLanguage()
  const navigate = useNavigate()
  const { pathname } = useLocation()
  const [menu, toggleMenu] = useDisclosure(false)
  const [keys, toggleKeys] = useDisclosure(false)
  const [folded, setFolded] = useLocalStorage({ key: 'endeks.folded', defaultValue: false, getInitialValueInEffect: false })
  const overview = useQuery({ ...queries.overview(), refetchInterval: false, staleTime: 60_000 })
  const utility = overview.data?.utility
  useEffect(() => {
    if (utility !== undefined) setSite(utility)
  }, [utility, setSite])
  // a new page closes the menu of a phone
  const close = toggleMenu.close
  useEffect(() => {
    if (pathname !== '') close()
  }, [pathname, close])

  useHotkeys(
    [
      ...places.map((place): [string, () => void] => [`alt+${place.number}`, () => void navigate(place.to)]),
      ['F1', () => toggleKeys.toggle()]
    ],
    []
  )
  return (
    <AppShell
      header={{ height: { base: 48, sm: 0 } }}
      navbar={{ width: folded ? 56 : 208, breakpoint: 'sm', collapsed: { mobile: !menu } }}
      transitionDuration={0}
    >
      <a href="#content" className="skip">
        {t.nav.skip}
      </a>
      <AppShell.Header hiddenFrom="sm" className="mobile-bar" style={{ display: 'flex', alignItems: 'center', gap: 8, padding: '0 12px' }}>
        <ActionIcon variant="subtle" color="gray" size={36} aria-label={t.nav.menu} aria-expanded={menu} onClick={toggleMenu.toggle}>
          <MenuIcon />
        </ActionIcon>
        <b>{t.product}</b>
        <ActionIcon
          variant="subtle"
          color="gray"
          size={36}
          aria-label={t.nav.search}
          onClick={spotlight.open}
          style={{ marginLeft: 'auto' }}
        >
          <SearchIcon />
        </ActionIcon>
      </AppShell.Header>
      <AppShell.Navbar>
        <Rail folded={folded && !menu} onFold={() => setFolded(!folded)} onKeys={toggleKeys.open} path={pathname} />
      </AppShell.Navbar>
      <AppShell.Main>
        <main className="main" id="content" tabIndex={-1}>
          <OfflineBanner />
          <Suspense
            fallback={
              <div className="page">
                <LateSkeleton height={240} />
              </div>
            }
          >
            <Outlet />
          </Suspense>
        </main>
      </AppShell.Main>
      <Suspense>
        <Search />
      </Suspense>
      <KeyList opened={keys} onClose={toggleKeys.close} />
    </AppShell>
  )
}

interface RailProps {
  readonly folded: boolean
  readonly onFold: () => void
  readonly onKeys: () => void
  readonly path: string
}

function Rail({ folded, onFold, onKeys, path }: RailProps) {
  const { t } = useLanguage()
  const mac = useOs() === 'macos'
  return (
    <div className={folded ? 'rail folded' : 'rail'}>
      <div className="rail-brand" style={folded ? { justifyContent: 'center', padding: 0 } : undefined}>
        <img src="/icon.svg" width={24} height={24} alt="" />
        <span className="grow">{t.product}</span>
      </div>
      <button type="button" className="rail-link rail-search" onClick={spotlight.open} title={t.nav.search}>
        <SearchIcon />
        <span className="grow">{t.nav.search}</span>
        <kbd>{mac ? '⌘ K' : 'Ctrl K'}</kbd>
      </button>
      <nav aria-label={t.nav.menu}>
        {places.map((place) => (
          <Link
            key={place.key}
            to={place.to}
            className="rail-link"
            aria-current={isCurrent(place, path) ? 'page' : undefined}
            title={t.nav[place.key]}
          >
            <place.Icon />
            <span className="grow">{t.nav[place.key]}</span>
            <kbd>Alt {place.number}</kbd>
          </Link>
        ))}
      </nav>
      <div style={{ marginTop: 'auto' }}>
        <UserMenu onKeys={onKeys} />
        <button type="button" className="rail-link dim" onClick={onFold} title={folded ? t.nav.unfold : t.nav.fold}>
          <span style={folded ? { transform: 'scaleX(-1)', display: 'flex' } : { display: 'flex' }}>
            <FoldIcon />
          </span>
          <span className="grow">{t.nav.fold}</span>
        </button>
      </div>
    </div>
  )
}
