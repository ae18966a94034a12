import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { configInvalid } from '@endeks/domain/process'

export interface Arguments {
  readonly site: string
  readonly data: string
  readonly port: number
  readonly mqttPort: number
}

export const usage = `npm start -- [--site FILE] [--data DIR] [--port N] [--mqtt-port N]

--site FILE      the site to run; one without "simulation" reads real meters and simulates nothing
--data DIR       where everything is kept (default: data)
--port N         web, API and documentation (default: 8080; 0 takes a free one)
--mqtt-port N    where gateways publish (default: 1883; 0 takes a free one)

ENDEKS_ADMIN_PASSWORD  the password of the user "admin" (default: made at the first start)
DATABASE_URL           a PostgreSQL or TimescaleDB server, as a superuser, instead of the embedded one
`

/** @throws {AppError} CONFIG_INVALID that lists what can't be understood */
export function readArguments(words: string[], shippedSite: string): Arguments {
  const { values, positionals } = parseArgs({
    args: words,
    allowPositionals: true,
    options: { site: { type: 'string' }, data: { type: 'string' }, port: { type: 'string' }, 'mqtt-port': { type: 'string' } }
  })
  const problems = positionals.map((word) => ({ path: word, message: 'is no option' }))
  const port = (name: 'port' | 'mqtt-port', otherwise: number): number => {
    const text = values[name]
    if (text === undefined) return otherwise
    if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text)
    problems.push({ path: `--${name}`, message: `"${text}" is no port` })
    return otherwise
  }
  const read = { port: port('port', 8080), mqttPort: port('mqtt-port', 1883) }
  if (problems.length > 0) throw configInvalid('the command line', problems)
  return { ...read, site: resolve(values.site ?? shippedSite), data: resolve(values.data ?? 'data') }
}
