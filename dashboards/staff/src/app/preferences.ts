import { useLocalStorage } from '@mantine/hooks'
import { useCallback, useEffect } from 'react'

export type Density = 'compact' | 'comfortable' | 'touch'

/** Rows as high as this person likes them, everywhere. */
export function useDensity() {
  const [density, setDensity] = useLocalStorage<Density>({ key: 'endeks.density', defaultValue: 'compact', getInitialValueInEffect: false })
  useEffect(() => {
    document.documentElement.dataset['density'] = density
  }, [density])
  return [density, setDensity] as const
}

/** Single letters as shortcuts can be switched off: they get in the way of speech input (WCAG 2.1.4). */
export function useLettersPreference() {
  return useLocalStorage<boolean>({ key: 'endeks.letters', defaultValue: true, getInitialValueInEffect: false })
}

export function useLetters(): boolean {
  return useLettersPreference()[0]
}

export interface Recent {
  readonly registryNo: string
  readonly name: string
}

const mostRecent = 8

/** The last participants that were opened in this browser, newest first. */
export function useRecent() {
  const [recent, setRecent] = useLocalStorage<Recent[]>({ key: 'endeks.recent', defaultValue: [], getInitialValueInEffect: false })
  const remember = useCallback(
    (opened: Recent) => setRecent((old) => [opened, ...old.filter((each) => each.registryNo !== opened.registryNo)].slice(0, mostRecent)),
    [setRecent]
  )
  return { recent, remember }
}
