import { mkdir, rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isAppError } from '@endeks/domain/errors'
import type { Log } from '@endeks/domain/process'
import { type EmbeddedServer, startEmbedded } from '../embedded/index.js'
import { identityOf, isSystemError } from '../embedded/processes.js'

/** What a client says when it connects: the test runner that started it, if one did. */
export interface Hello {
  readonly runner?: number
}

/** What the holder answers. */
export interface Welcome {
  readonly adminUrl: string
}

export const socketName = 'holder.sock'
export const serverFolder = 'server'

/** Without a runner, between one test file and the next started by hand. */
const lingerMs = 5_000
/** With a runner that is still alive: its other files need no database just now. */
const runnerLingerMs = 120_000
const stepMs = 200

/**
 * Holds one server for all test processes of a run: a connection to its socket is a client, so the kernel tells when one is
 * gone, however it ended. When nobody has been connected for a while and the runner is gone, it stops the server and ends.
 * Of two holders of a directory the launcher's lock sends the second one away.
 *
 * @returns when it is no longer needed, or was not needed
 */
export async function hold(directory: string, log: Log): Promise<void> {
  let server: EmbeddedServer
  try {
    // Who asked has made the directory; a holder that comes up after all is over must not make it again.
    await mkdir(join(directory, serverFolder), { mode: 0o755 }).catch((thrown: unknown) => {
      if (!isSystemError(thrown, 'EEXIST')) throw thrown
    })
    server = await startEmbedded({
      directory: join(directory, serverFolder),
      log,
      expendable: true,
      settings: { max_connections: '300', shared_buffers: '64MB', max_wal_size: '512MB', autovacuum_naptime: '600' }
    })
  } catch (thrown) {
    if (isAppError(thrown, 'DATA_DIRECTORY_IN_USE') || isSystemError(thrown, 'ENOENT')) return
    throw thrown
  }
  const clients = new Set<Socket>()
  const runners = new Set<number>()
  const door = await openDoor(join(directory, socketName), server, { clients, runners })
  try {
    await untilUnused(server, clients, runners)
  } finally {
    door.close()
    for (const client of clients) client.destroy()
    await server.stop()
    await rm(join(directory, serverFolder, 'cluster'), { recursive: true, force: true })
  }
}

interface Guests {
  readonly clients: Set<Socket>
  readonly runners: Set<number>
}

/** A socket file that a killed holder left is nobody's: this process has the directory's lock. */
async function openDoor(path: string, server: EmbeddedServer, guests: Guests): Promise<Server> {
  await rm(path, { force: true })
  const door = createServer((client) => {
    guests.clients.add(client)
    client.on('close', () => guests.clients.delete(client))
    client.on('error', () => client.destroy())
    let heard = ''
    client.setEncoding('utf8')
    client.on('data', (text: string) => {
      heard += text
      if (heard.length > 1_000) client.destroy()
      if (!heard.endsWith('\n')) return
      const hello: Hello = JSON.parse(heard)
      if (hello.runner !== undefined) guests.runners.add(hello.runner)
      const welcome: Welcome = { adminUrl: server.adminUrl() }
      client.write(`${JSON.stringify(welcome)}\n`)
    })
  })
  await new Promise<void>((resolve, reject) => {
    door.once('error', reject)
    door.listen(path, resolve)
  })
  return door
}

async function untilUnused(server: EmbeddedServer, clients: ReadonlySet<Socket>, runners: Set<number>): Promise<void> {
  let ended = false
  void server.closed.then(() => {
    ended = true
  })
  let idle = 0
  let hadRunner = false
  while (!ended) {
    await sleep(stepMs)
    if (clients.size > 0) idle = 0
    else idle += stepMs
    for (const runner of runners) {
      hadRunner = true
      if ((await identityOf(runner)) === undefined) runners.delete(runner)
    }
    const limit = runners.size > 0 ? runnerLingerMs : hadRunner ? 0 : lingerMs
    if (clients.size === 0 && idle >= limit) return
  }
}
