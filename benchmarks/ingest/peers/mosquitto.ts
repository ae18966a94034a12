import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Mosquitto {
  readonly port: number
  readonly pid: number
  stop(): Promise<void>
}

/** Where Debian and others put it; a service's folder need not be on the path. */
const programs = ['/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto', '/usr/bin/mosquitto']
const readyWithinMs = 10_000

export function mosquittoProgram(): string | undefined {
  return programs.find((path) => existsSync(path))
}

/**
 * A broker on loopback with a configuration of its own. By default it keeps at most a thousand messages for a subscriber and drops
 * what comes beyond; here it drops none, so that throughput is measured and not what it loses.
 */
export async function startMosquitto(program: string, directory: string): Promise<Mosquitto> {
  const port = await freePort()
  const configuration = join(directory, 'mosquitto.conf')
  writeFileSync(
    configuration,
    [
      `listener ${port} 127.0.0.1`,
      ...['allow_anonymous true', 'persistence false', 'set_tcp_nodelay true', 'max_queued_messages 0', 'max_inflight_messages 1000', '']
    ].join('\n')
  )
  const log = openSync(join(directory, 'mosquitto.log'), 'a')
  const child = spawn(program, ['-c', configuration], { stdio: ['ignore', log, log] })
  closeSync(log)
  await once(child, 'spawn')
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exit = once(child, 'exit')
    child.kill('SIGTERM')
    await exit
  }
  const deadline = performance.now() + readyWithinMs
  while (!(await listens(port))) {
    if (performance.now() > deadline || child.exitCode !== null) {
      await stop()
      throw new Error(`mosquitto does not listen: see ${directory}`)
    }
    await sleep(50)
  }
  return { port, pid: child.pid ?? 0, stop }
}

async function freePort(): Promise<number> {
  const probe = createServer()
  probe.listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' })
    const settle = (result: boolean) => (): void => {
      socket.destroy()
      resolve(result)
    }
    socket.once('connect', settle(true))
    socket.once('error', settle(false))
  })
}
