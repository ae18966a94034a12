/** What a person at the terminal sees: one line a step, and a bar for what takes longer than a blink. */
export interface Progress {
  step(text: string): void
  /** `done` of `total`, drawn over the last line on a terminal and at every tenth elsewhere */
  count(text: string, done: number, total: number): void
}

const width = 28

export function createProgress(out: NodeJS.WriteStream): Progress {
  const started = performance.now()
  let open = false
  let lastTenth = -1
  const seconds = (): string => `${((performance.now() - started) / 1000).toFixed(1).padStart(6)} s`
  const close = (): void => {
    if (open) out.write('\n')
    open = false
    lastTenth = -1
  }
  return {
    step: (text) => {
      close()
      out.write(`${seconds()}  ${text}\n`)
    },
    count: (text, done, total) => {
      const share = total === 0 ? 1 : done / total
      const tenth = Math.floor(share * 10)
      if (!out.isTTY) {
        if (tenth !== lastTenth) out.write(`${seconds()}  ${text} ${done} / ${total}\n`)
        lastTenth = done === total ? -1 : tenth
        return
      }
      const filled = Math.round(share * width)
      out.write(`\r${seconds()}  ${text} ${'█'.repeat(filled)}${'░'.repeat(width - filled)} ${done} / ${total} `)
      open = true
      if (done === total) close()
    }
  }
}
