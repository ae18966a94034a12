/**
 * Named points at which a process may be made to die, so that tests can prove what survives: a point is chosen by name, never by
 * a pause.
 *
 * @param at the name, or `name#n` for the nth time it is reached; undefined in production
 */
export function killPointAt(at: string | undefined): (name: string) => void {
  if (at === undefined) return () => undefined
  const [, wanted, count] = /^(.*?)(?:#(\d+))?$/.exec(at) ?? []
  let left = Number(count ?? '1')
  return (name) => {
    if (name !== wanted) return
    left -= 1
    if (left === 0) process.kill(process.pid, 'SIGKILL')
  }
}
