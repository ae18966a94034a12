import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Teardown } from '@endeks/database/testing'

/** A receiver as Debian ships it, on a free port of this machine and in a folder of its own. */
export interface Program {
  readonly url: string
  stop(): Promise<void>
  /** again, on the same data */
  start(): Promise<void>
}

const comesUpWithinMs = 60_000
const stepMs = 50

export async function victoriaMetrics(t: Teardown): Promise<Program> {
  const folder = await temporaryFolder(t)
  const port = await freePort()
  const address = `127.0.0.1:${port}`
  const options = [`-httpListenAddr=${address}`, `-storageDataPath=${join(folder, 'data')}`, '-retentionPeriod=100y', '-loggerLevel=ERROR']
  return program(t, { command: 'victoria-metrics', options, url: `http://${address}`, health: '/health' })
}

/** InfluxDB 1 with a database `endeks` whose points are kept for ever. */
export async function influxd(t: Teardown): Promise<Program> {
  const folder = await temporaryFolder(t)
  const [port, backupPort] = [await freePort(), await freePort()]
  const config = join(folder, 'influxdb.conf')
  await mkdir(join(folder, 'meta'))
  await writeFile(
    config,
    `reporting-disabled = true
bind-address = "127.0.0.1:${backupPort}"
[meta]
dir = "${folder}/meta"
[data]
dir = "${folder}/data"
wal-dir = "${folder}/wal"
query-log-enabled = false
[monitor]
store-enabled = false
[http]
bind-address = "127.0.0.1:${port}"
log-enabled = false
[logging]
level = "error"
suppress-logo = true
`
  )
  const url = `http://127.0.0.1:${port}`
  const running = await program(t, { command: 'influxd', options: ['-config', config], url, health: '/ping' })
  const made = await fetch(`${url}/query`, { method: 'POST', body: new URLSearchParams({ q: 'create database endeks' }) })
  if (!made.ok) throw new Error(`influxd makes no database: ${await made.text()}`)
  return running
}

interface Command {
  readonly command: string
  readonly options: readonly string[]
  readonly url: string
  readonly health: string
}

async function program(t: Teardown, { command, options, url, health }: Command): Promise<Program> {
  let stop: () => Promise<void> = async () => undefined
  const start = async (): Promise<void> => {
    const child = spawn(command, options, { stdio: ['ignore', 'ignore', 'pipe'] })
    let words = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      words = (words + text).slice(-2_000)
    })
    const spawned = once(child, 'spawn').catch((cause: unknown) => {
      throw new Error(`${command} can't be started: install Debian's package`, { cause })
    })
    await spawned
    const exited = once(child, 'exit')
    stop = async () => {
      child.kill('SIGKILL')
      await exited
    }
    for (let waited = 0; waited < comesUpWithinMs; waited += stepMs) {
      if (child.exitCode !== null) throw new Error(`${command} ended:\n${words}`)
      const answer = await fetch(`${url}${health}`).catch(() => undefined)
      if (answer?.ok === true) return
      await sleep(stepMs)
    }
    throw new Error(`${command} does not come up:\n${words}`)
  }
  t.teardown(() => stop())
  await start()
  return { url, start, stop: () => stop() }
}

async function temporaryFolder(t: Teardown): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'endeks-mirror-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** These programs can't tell which free port they took. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

export interface Point {
  readonly tags: Readonly<Record<string, string>>
  readonly atMs: string
  /** as text, for integers beyond 2^53 */
  readonly raw: string
  readonly value: number
  readonly status: string
}

const tagNames = ['register', 'obis', 'serial', 'medium', 'unit']

/** All readings that an influxd holds. CSV, as a number of JSON loses the last digits of an integer. */
export async function readInflux({ url }: Program): Promise<Point[]> {
  const query = new URLSearchParams({ db: 'endeks', epoch: 'ms', q: 'select * from reading' })
  const answer = await fetch(`${url}/query?${query}`, { headers: { accept: 'application/csv' } })
  const [header = [], ...rows] = parseCsv(await answer.text())
  return rows.map((row) => {
    const cell = (name: string): string => row[header.indexOf(name)] ?? ''
    const tags = Object.fromEntries(tagNames.map((name) => [name, cell(name)]))
    return { tags, atMs: cell('time'), raw: cell('raw'), value: Number(cell('value')), status: cell('status') }
  })
}

function parseCsv(text: string): string[][] {
  const rows: string[][] = []
  let row: string[] = []
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g)) {
    row.push(quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'))
    if (end === ',') continue
    if (row.length > 1) rows.push(row)
    row = []
  }
  return rows
}

interface ExportedSeries {
  readonly metric: Readonly<Record<string, string>>
  readonly values: readonly number[]
  readonly timestamps: readonly number[]
}

/** All samples of one field that a VictoriaMetrics holds, which knows floats only, a series for each field. */
export async function readVictoria(
  { url }: Program,
  field: 'raw' | 'value' | 'status'
): Promise<{ tags: Point['tags']; atMs: string; number: number }[]> {
  // What was just written is only found after a flush.
  await fetch(`${url}/internal/force_flush`)
  const answer = await fetch(`${url}/api/v1/export?${new URLSearchParams({ 'match[]': `reading_${field}` })}`)
  const lines = (await answer.text()).split('\n').filter((line) => line !== '')
  return lines.flatMap((line) => {
    const series: ExportedSeries = JSON.parse(line)
    const tags = Object.fromEntries(tagNames.map((name) => [name, series.metric[name] ?? '']))
    return series.timestamps.map((atMs, index) => ({ tags, atMs: `${atMs}`, number: series.values[index] ?? Number.NaN }))
  })
}
