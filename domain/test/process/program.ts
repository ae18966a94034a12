import { AppError } from '../../src/errors/index.js'
import { createLog, runProcess } from '../../src/process/index.js'

// A service for the test beside: it runs until it is told to stop, or does what its argument says.
const log = createLog('program')
const kind = process.argv[2]

await runProcess(log, async () => {
  if (kind === 'misconfigured') throw new AppError('CONFIG_INVALID', 'nothing fits')
  if (kind === 'broken') throw new Error('it broke')
  const alive = setInterval(() => undefined, 1_000)
  return {
    ready: { port: 4_711 },
    stop: async () => {
      if (kind === 'stops-badly') throw new Error('a file would not close')
      clearInterval(alive)
      log.info('finished')
    }
  }
})
if (kind === 'bug') queueMicrotask(() => assertNothing(undefined))

function assertNothing(value: string | undefined): void {
  if (value === undefined) throw new TypeError('a bug')
}
