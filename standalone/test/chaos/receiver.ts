import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const comesUpWithinMs = 60_000

interface ExportedSeries {
  readonly metric: { readonly register: string }
  readonly values: readonly number[]
  readonly timestamps: readonly number[]
}

/** Debian's victoria-metrics, to which readings are mirrored. */
export class Receiver {
  readonly url: string
  readonly #child: ChildProcess

  private constructor(url: string, child: ChildProcess) {
    this.url = url
    this.#child = child
  }

  static async start(directory: string, port: number): Promise<Receiver> {
    const url = `http://127.0.0.1:${port}`
    const options = [`-httpListenAddr=127.0.0.1:${port}`, `-storageDataPath=${join(directory, 'mirror')}`, '-retentionPeriod=100y']
    const child = spawn('victoria-metrics', [...options, '-loggerLevel=ERROR'], { stdio: 'ignore' })
    await once(child, 'spawn')
    const until = performance.now() + comesUpWithinMs
    while (performance.now() < until) {
      const up = await fetch(`${url}/health`).then(
        (response) => response.ok,
        () => false
      )
      if (up) return new Receiver(url, child)
      await sleep(100)
    }
    child.kill('SIGKILL')
    throw new Error('victoria-metrics does not come up')
  }

  /** What it has, as `register@instant=raw`. */
  async points(): Promise<Set<string>> {
    await fetch(`${this.url}/internal/force_flush`)
    const response = await fetch(`${this.url}/api/v1/export?match[]=${encodeURIComponent('{__name__="reading_raw"}')}`)
    const lines = (await response.text()).split('\n').filter((line) => line !== '')
    const series = lines.map((line) => JSON.parse(line) as ExportedSeries)
    return new Set(
      series.flatMap(({ metric, values, timestamps }) => values.map((value, index) => `${metric.register}@${timestamps[index]}=${value}`))
    )
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGTERM')
    await ended
  }
}
