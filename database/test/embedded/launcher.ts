import { createLog } from '@endeks/domain/process'
import { startEmbedded } from '../../src/embedded/index.js'

/** A launcher to be killed: starts a server in the directory, says where it is, and waits. */
const server = await startEmbedded({ directory: process.argv[2] ?? '', log: createLog('launcher') })
process.stdout.write(`${JSON.stringify({ pid: server.pid, adminUrl: server.adminUrl() })}\n`)
setInterval(() => undefined, 60_000)
