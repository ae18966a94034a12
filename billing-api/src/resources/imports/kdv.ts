import { checkKdvTable } from '@endeks/rating/tariff'
import type { Problem } from '../../store/standing.js'
import type { Parameter } from './store.js'

const prefix = 'kdv.'

/** What is wrong with the KDV rates among the parameters, by the tariff engine's own schema: a rate that it can't read is none. */
export function kdvProblems(parameters: readonly Parameter[]): Problem[] {
  return parameters.flatMap((parameter, index) => {
    if (!parameter.name.startsWith(prefix)) return []
    return problemsOf(parameter).map(({ path, message }) => ({ path: `/parameters/${index}${path}`, message }))
  })
}

function problemsOf({ name, validFrom, value }: Parameter): Problem[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return [{ path: '/value', message: 'must be an object with the rate as decimal text' }]
  }
  if ('from' in value) return [{ path: '/value/from', message: 'is not known here: the day is in validFrom' }]
  const kdvClass = name.slice(prefix.length)
  const checked = checkKdvTable({ [kdvClass]: [{ ...value, from: validFrom }] })
  if (checked.ok) return []
  const row = `/${kdvClass}/0`
  return checked.error.map(({ path, message }) => {
    if (path === `${row}/from`) return { path: '/validFrom', message }
    return path.startsWith(row) ? { path: `/value${path.slice(row.length)}`, message } : { path: '/name', message }
  })
}
