import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Test } from 'tap'

/** A serial port whose other end is a TCP port of this machine. */
export async function pseudoTerminal(t: Test, port: number): Promise<string> {
  const path = join(t.testdir({}), 'tty')
  await wire(t, [path], [terminal(path), `TCP:127.0.0.1:${port}`])
  return path
}

/** Two serial ports with a wire between them. */
export async function pseudoTerminals(t: Test): Promise<readonly [string, string]> {
  const folder = t.testdir({})
  const [one, other] = [join(folder, 'one'), join(folder, 'other')]
  await wire(t, [one, other], [terminal(one), terminal(other)])
  return [one, other]
}

/** It stays when whoever has it open closes it, as a serial port does. */
function terminal(path: string): string {
  return `PTY,link=${path},raw,echo=0,ignoreeof`
}

async function wire(t: Test, paths: readonly string[], ends: readonly [string, string]): Promise<void> {
  const socat = spawn('socat', ends, { stdio: 'ignore' })
  let missing: Error | undefined
  socat.on('error', (error) => {
    missing = error
  })
  const ended = once(socat, 'exit').catch(() => {})
  t.teardown(async () => {
    socat.kill()
    await ended
  })
  for (let tries = 0; tries < 200; tries += 1) {
    if (missing !== undefined) throw new Error(`socat is needed, and can't be started: install it (${missing.message})`)
    if (paths.every((path) => existsSync(path))) return
    await delay(25)
  }
  throw new Error('socat has made no pseudo-terminal')
}
