import { type ReactNode, useEffect } from 'react'
import { NavLink } from 'react-router'
import { useLanguage } from '../i18n/language.js'

interface PageProps {
  /** of the browser's tab and history */
  readonly title: string
  readonly heading?: ReactNode
  readonly mark?: ReactNode
  readonly facts?: ReactNode
  readonly actions?: ReactNode
  readonly tabs?: readonly { readonly to: string; readonly label: string; readonly end?: boolean }[]
  /** the page itself does not scroll: a table in it does */
  readonly fixed?: boolean
  readonly children: ReactNode
}

export function Page({ title, heading, mark, facts, actions, tabs, fixed = false, children }: PageProps) {
  const { t } = useLanguage()
  useEffect(() => {
    document.title = `${title} · ${t.product}`
  }, [title, t])
  return (
    <div className={fixed ? 'page fixed' : 'page'}>
      <header className="head">
        <h1>{heading ?? title}</h1>
        {mark}
        {facts !== undefined && <div className="facts">{facts}</div>}
        {actions !== undefined && <div className="actions">{actions}</div>}
      </header>
      {tabs !== undefined && <Tabs tabs={tabs} />}
      {children}
    </div>
  )
}

/** The third level is a tab with an address of its own. */
export function Tabs({ tabs }: { readonly tabs: NonNullable<PageProps['tabs']> }) {
  return (
    <nav className="tabs">
      {tabs.map((tab) => (
        <NavLink key={tab.to} to={tab.to} end={tab.end ?? false}>
          {tab.label}
        </NavLink>
      ))}
    </nav>
  )
}

export function Section({
  title,
  actions,
  children
}: {
  readonly title: ReactNode
  readonly actions?: ReactNode
  readonly children: ReactNode
}) {
  return (
    <section className="section">
      <h2 style={{ display: 'flex', gap: 12, alignItems: 'center' }}>
        <span>{title}</span>
        {actions !== undefined && <span style={{ marginLeft: 'auto', display: 'flex', gap: 8, fontWeight: 400 }}>{actions}</span>}
      </h2>
      {children}
    </section>
  )
}
