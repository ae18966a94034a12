import { useDebouncedValue } from '@mantine/hooks'
import { useEffect, useState } from 'react'
import { useSearchParams } from 'react-router'

/** What is sought stands in the address; what is half typed does not, until it rests for a moment. */
export function useSearchText() {
  const [parameters, setParameters] = useSearchParams()
  const search = parameters.get('search') ?? ''
  const [typed, setTyped] = useState(search)
  const [settled] = useDebouncedValue(typed.trim(), 200)
  useEffect(() => {
    setParameters(
      (old) => {
        const next = new URLSearchParams(old)
        if (settled === '') next.delete('search')
        else next.set('search', settled)
        return next
      },
      { replace: true }
    )
  }, [settled, setParameters])
  return { search, typed, setTyped }
}
