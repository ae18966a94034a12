import t from 'tap'
import { AppError, asError, catalogue, isAppError, withCode } from '../src/errors/index.js'

t.test('a code brings its status and whether to try again', (t) => {
  const error = new AppError('RUN_IN_PROGRESS', 'a run is under way', { run: '7' })
  t.match(error, { name: 'AppError', code: 'RUN_IN_PROGRESS', status: 409, retryable: true, details: { run: '7' } })
  t.notOk('cause' in error, 'no cause is no property')
  t.end()
})

t.test('every code is upper case with an error status', (t) => {
  for (const [code, { status }] of Object.entries(catalogue)) {
    t.match(code, /^[A-Z]+(_[A-Z]+)*$/)
    t.ok(status >= 400 && status <= 599, code)
  }
  t.end()
})

t.test('callers test the code', (t) => {
  const error: unknown = new AppError('TIMEOUT', 'too long')
  t.ok(isAppError(error))
  t.ok(isAppError(error, 'TIMEOUT'))
  t.notOk(isAppError(error, 'INTERNAL'))
  t.notOk(isAppError({ code: 'TIMEOUT' }))
  t.notOk(isAppError(new Error('TIMEOUT'), 'TIMEOUT'))
  t.end()
})

t.test('whatever was thrown becomes an Error', (t) => {
  const error = new TypeError('x')
  t.equal(asError(error), error)
  t.equal(asError('text').message, 'text')
  t.equal(asError(undefined).message, 'undefined')
  t.end()
})

t.test('withCode gives what the work gives', async (t) => {
  t.equal(await withCode('INTERNAL', 'reading', async () => 7), 7)
})

t.test('withCode gives a failure of foreign code our code, with the original as cause', async (t) => {
  const cause = new RangeError('port 70000')
  await t.rejects(
    withCode('PORT_TAKEN', 'listening', async () => Promise.reject(cause)),
    {
      name: 'AppError',
      code: 'PORT_TAKEN',
      message: 'listening: port 70000',
      cause
    }
  )
  await t.rejects(
    withCode('INTERNAL', 'calling', () => {
      throw cause
    }),
    { code: 'INTERNAL', cause }
  )
})

t.test('withCode leaves an error of ours as it is', async (t) => {
  const ours = new AppError('METER_NOT_FOUND', 'no meter 7')
  await withCode('INTERNAL', 'reading', async () => Promise.reject(ours)).then(
    () => t.fail('it was thrown'),
    (thrown: unknown) => t.equal(thrown, ours)
  )
})
