import { joinSharedServer } from '../../src/testing/shared-server.js'

/** A test process to be killed: joins the shared server of the directory, says so, and waits. */
const { adminUrl } = await joinSharedServer(process.argv[2] ?? '', { runner: Number(process.argv[3]) })
process.stdout.write(`${JSON.stringify({ pid: process.pid, adminUrl })}\n`)
setInterval(() => undefined, 60_000)
