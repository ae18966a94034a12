import { Menu, SegmentedControl, Switch, useMantineColorScheme } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { mutations } from '../api/mutations.js'
import { queries } from '../api/queries.js'
import { UserIcon } from '../components/icons.js'
import { useLanguage } from '../i18n/language.js'
import { type Density, useDensity, useLettersPreference } from './preferences.js'

/** Settings stand under the user's name and are kept per browser. */
export function UserMenu({ onKeys }: { readonly onKeys: () => void }) {
  const { t, language, setLanguage } = useLanguage()
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  const [density, setDensity] = useDensity()
  const [letters, setLetters] = useLettersPreference()
  const user = useQuery({ ...queries.session(), enabled: false }).data
  const client = useQueryClient()
  const signOut = useMutation({
    mutationFn: mutations.logout,
    onSettled: () => {
      client.clear()
      location.assign('/')
    }
  })
  return (
    <Menu position="top-start" width={280} closeOnItemClick={false} trapFocus>
      <Menu.Target>
        <button type="button" className="rail-link" title={t.user.settings} data-testid="user-menu">
          <UserIcon />
          <span className="grow" style={{ overflow: 'hidden', textOverflow: 'ellipsis', whiteSpace: 'nowrap' }}>
            {user?.name}
          </span>
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        {user !== undefined && (
          <Menu.Label>
            {user.login} · {t.user.roles[user.role]}
          </Menu.Label>
        )}
        <Setting label={t.user.language}>
          <SegmentedControl
            fullWidth
            value={language}
            onChange={(value) => setLanguage(value === 'en' ? 'en' : 'tr')}
            data={[
              { value: 'tr', label: 'Türkçe' },
              { value: 'en', label: 'English' }
            ]}
            data-testid="language"
          />
        </Setting>
        <Setting label={t.user.theme}>
          <SegmentedControl
            fullWidth
            value={colorScheme}
            onChange={(value) => setColorScheme(value === 'dark' || value === 'light' ? value : 'auto')}
            data={[
              { value: 'light', label: t.user.light },
              { value: 'dark', label: t.user.dark },
              { value: 'auto', label: t.user.system }
            ]}
          />
        </Setting>
        <Setting label={t.user.density}>
          <SegmentedControl
            fullWidth
            value={density}
            onChange={(value) => setDensity(isDensity(value) ? value : 'compact')}
            data={[
              { value: 'compact', label: t.user.compact },
              { value: 'comfortable', label: t.user.comfortable },
              { value: 'touch', label: t.user.touch }
            ]}
          />
        </Setting>
        <div style={{ padding: '8px 12px' }}>
          <Switch size="sm" label={t.user.letters} checked={letters} onChange={(event) => setLetters(event.currentTarget.checked)} />
        </div>
        <Menu.Divider />
        <Menu.Item closeMenuOnClick rightSection={<kbd>F1</kbd>} onClick={onKeys}>
          {t.keys.title}
        </Menu.Item>
        <Menu.Item onClick={() => signOut.mutate()} data-testid="logout">
          {t.login.out}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}

function isDensity(text: string): text is Density {
  return text === 'compact' || text === 'comfortable' || text === 'touch'
}

function Setting({ label, children }: { readonly label: string; readonly children: ReactNode }) {
  return (
    <div style={{ padding: '4px 12px' }}>
      <div className="dim" style={{ fontSize: 12, lineHeight: '16px', marginBottom: 2 }}>
        {label}
      </div>
      {children}
    </div>
  )
}
