import { createLog } from '@endeks/domain/process'
import { hold } from './holder.js'

const log = createLog('test-database')
// It ends by itself once nobody is connected; Ctrl-C is meant for the test runner, not for what its tests stand on.
process.on('SIGINT', () => undefined)
const [directory, starter] = process.argv.slice(2)
if (directory === undefined || starter === undefined) {
  log.error('a directory and the pid of who starts this are needed')
  process.exitCode = 2
} else if (process.ppid === Number(starter)) {
  await hold(directory, log)
} else {
  log.info('who asked for it is gone')
}
