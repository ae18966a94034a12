import { createLog, killPointAt } from '@endeks/domain/process'
import { Spool } from '../../src/spool/spool.js'

// Opens a spool in a process of its own, which ends itself by SIGKILL where it is told.
const [directory = '', point = ''] = process.argv.slice(2)
const spool = await Spool.open({ directory, maxBytes: 10_000_000, log: createLog('opener', () => {}), killPoint: killPointAt(point) })
await spool.close()
