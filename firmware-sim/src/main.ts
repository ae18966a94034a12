import { parseArgs } from 'node:util'
import { AppError, asError, isAppError } from '@endeks/domain/errors'
import { createLog, loadJsonFile, runProcess, systemClock } from '@endeks/domain/process'
import { checkSimulatedSite, startSite } from './site/index.js'

const usage = `firmware-sim run SITE.json [--check-config]
    puts the meters of a simulated site on their ports; Ctrl-C ends it. The README of firmware-sim has a site to begin with`

const log = createLog('firmware-sim')

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { 'check-config': { type: 'boolean' }, help: { type: 'boolean' } }
  })
  if (values.help === true) {
    process.stdout.write(`${usage}\n`)
    return
  }
  const [verb, path, ...rest] = positionals
  if (verb !== 'run' || path === undefined || rest.length > 0) throw new AppError('CONFIG_INVALID', `usage:\n${usage}`)
  if (values['check-config'] === true) {
    process.stdout.write(`${JSON.stringify(checkSimulatedSite(loadJsonFile(path), path), null, 2)}\n`)
    return
  }
  await runProcess(log, async () => {
    const running = await startSite(checkSimulatedSite(loadJsonFile(path), path), systemClock)
    log.info('simulated site runs', { ports: Object.fromEntries(running.ports) })
    return { stop: running.stop, ready: { ports: Object.fromEntries(running.ports) } }
  })
}

try {
  await main()
} catch (thrown) {
  const error = asError(thrown)
  const wrongUse = isAppError(error, 'CONFIG_INVALID') || ('code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'))
  if (!wrongUse) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 2
}
