import { createLog } from '@endeks/domain/process'
import { hold } from './holder.js'

const log = createLog('test-database')
// It ends by itself once nobody is connected; Ctrl-C is meant for the test runner, not for what its tests stand on.
process.on('SIGINT', () => undefined)
const directory = process.argv[2]
if (directory === undefined) {
  log.error('a directory is needed')
  process.exitCode = 2
} else {
  await hold(directory, log)
}
