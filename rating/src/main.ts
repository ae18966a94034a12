import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { isAppError } from '@endeks/domain/errors'
import { by, Operations } from '@endeks/domain/operations'
import { configInvalid, createLog, loadConfig, loadJsonFile, maskSecrets, runProcess, systemClock } from '@endeks/domain/process'
import { RatingConfig, ratingVariables } from './config.js'
import { loadKdvTable } from './kdv-file.js'
import { quoteLines } from './quote.js'
import { startRating } from './service.js'
import { checkTariff, prepareTariff } from './tariff/index.js'
import { tariffHash } from './tariff-hash.js'

interface Verb {
  readonly usage: string
  /** Arguments after the verb. Resolves to the exit code when the verb is done. */
  run(args: string[]): Promise<number>
}

const verbs: Readonly<Record<string, Verb>> = {
  run: { usage: 'run [--check-config]', run: serve },
  quote: { usage: 'quote TARIFF.json [--lines] [--kdv FILE]', run: quote }
}

/** Serves rating's commands until it is told to stop; the environment configures it. */
async function serve(args: string[]): Promise<number> {
  const { values } = parseArgs({ args, options: { 'check-config': { type: 'boolean', default: false } } })
  const config = loadConfig(RatingConfig, ratingVariables, process.env)
  if (values['check-config']) {
    await writeOut(`${JSON.stringify(maskSecrets(config))}\n`)
    return 0
  }
  const log = createLog('rating')
  await runProcess(log, async () => {
    const running = await startRating({ ...config, clock: systemClock, log })
    const operations = Operations.of('rating', config, log)
    if (operations === undefined) return running
    const runs = { name: 'endeks_rating_runs', help: 'bill runs, by state', labels: ['state'] }
    operations.metrics.level(runs, async () => by('state', (await running.countRuns()).runs))
    const shards = { name: 'endeks_rating_shards', help: 'shards of the run that calculates, by state', labels: ['state'] }
    operations.metrics.level(shards, async () => by('state', (await running.countRuns()).shards))
    return operations.show(running, [{ name: 'database', missing: async () => void (await running.reachDatabase()) }])
  })
  return 0
}

/** Checks a tariff; with `--lines` answers the cases of standard input, one JSON object a line. */
async function quote(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    options: { lines: { type: 'boolean', default: false }, kdv: { type: 'string' } },
    allowPositionals: true
  })
  const [file] = positionals
  if (file === undefined || positionals.length > 1) return refuse('quote takes one tariff file')
  const kdv = loadKdvTable(values.kdv)
  const checked = checkTariff(loadJsonFile(file), kdv)
  if (!checked.ok) throw configInvalid(file, checked.error)
  if (values.lines) {
    await quoteLines(prepareTariff(checked.value, kdv), process.stdin, writeOut)
    return 0
  }
  const { code, version, examples = [] } = checked.value
  await writeOut(`${JSON.stringify({ ok: true, tariff: code, version, hash: tariffHash(checked.value), examples: examples.length })}\n`)
  return 0
}

async function writeOut(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, 'drain')
}

function usages(): string {
  return `${Object.values(verbs)
    .map((verb) => `  rating ${verb.usage}`)
    .join('\n')}\n`
}

function refuse(message: string): number {
  process.stderr.write(`${message}\n${usages()}`)
  return 2
}

async function main([name, ...args]: string[]): Promise<number> {
  if (name === '--help') {
    await writeOut(usages())
    return 0
  }
  const verb = name !== undefined && Object.hasOwn(verbs, name) ? verbs[name] : undefined
  if (verb === undefined) return refuse(name === undefined ? 'which verb?' : `"${name}" is not a verb`)
  try {
    return await verb.run(args)
  } catch (thrown) {
    if (isAppError(thrown, 'CONFIG_INVALID')) {
      process.stderr.write(`${thrown.message}\n`)
      return 2
    }
    // parseArgs names the option it does not know.
    if (thrown instanceof TypeError && 'code' in thrown && String(thrown.code).startsWith('ERR_PARSE_ARGS')) return refuse(thrown.message)
    throw thrown
  }
}

// A reader that goes away (head, a closed pipe) ends the answers; nobody is left to tell.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
process.exitCode = await main(process.argv.slice(2))
