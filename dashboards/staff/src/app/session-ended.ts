import { useSyncExternalStore } from 'react'

let ended = false
const listeners = new Set<() => void>()

export function setSessionEnded(value: boolean) {
  ended = value
  for (const listener of listeners) listener()
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** Any request may be the one that finds the session over. */
export function useSessionEnded() {
  return [useSyncExternalStore(subscribe, () => ended), setSessionEnded] as const
}
