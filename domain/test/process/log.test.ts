import t from 'tap'
import { AppError } from '../../src/errors/index.js'
import { createLog } from '../../src/process/index.js'

function logged(write: (log: ReturnType<typeof createLog>) => void): Record<string, unknown>[] {
  const lines: string[] = []
  write(createLog('rating', (line) => lines.push(line)))
  return lines.map((line) => {
    if (!line.endsWith('\n') || line.indexOf('\n') !== line.length - 1) throw new Error(`not one line: ${line}`)
    return JSON.parse(line) as Record<string, unknown>
  })
}

t.test('an event is one line of JSON with its time, level and service', (t) => {
  const [first, second, third] = logged((log) => {
    log.info('started', { port: 7 })
    log.warn('a line\nof two')
    log.error('gone')
  })
  t.match(first, { level: 'info', service: 'rating', event: 'started', port: 7, time: /^\d{4}-\d{2}-\d{2}T.*Z$/ })
  t.match(second, { level: 'warn', event: 'a line\nof two' })
  t.match(third, { level: 'error', event: 'gone' })
  t.end()
})

t.test('a field that is called a secret is never shown, however deep it lies', (t) => {
  const text = JSON.stringify(
    logged((log) => {
      log.info('login', {
        password: 'p1',
        user: { accessToken: 'p2', list: [{ cookie: 'p3' }] },
        headers: { Authorization: 'p4' },
        key: 'p5'
      })
    })
  )
  for (const secret of ['p1', 'p2', 'p3', 'p4', 'p5']) t.notMatch(text, secret)
  t.end()
})

t.test('large integers and errors can be logged', (t) => {
  const [line] = logged((log) => {
    log.info('posted', { micro: 2n ** 70n, error: new AppError('TIMEOUT', 'too long') })
  })
  t.match(line, { micro: '1180591620717411303424', error: { name: 'AppError', code: 'TIMEOUT', message: 'too long' } })
  t.end()
})
