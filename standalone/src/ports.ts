import { createServer } from 'node:net'
import { AppError } from '@endeks/domain/errors'

/**
 * Tries a port before anything is started, so that the person is told the option to change and not a setting of some service.
 *
 * @throws {AppError} PORT_TAKEN
 */
export async function refuseTakenPort(port: number, option: string): Promise<void> {
  if (port === 0) return
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'EADDRINUSE' ? 'is taken by another program' : `can't be used (${error.message})`
      reject(
        new AppError('PORT_TAKEN', `port ${port} ${why}: end that program, or choose another port with ${option} (0 takes a free one)`, {
          port,
          option
        })
      )
    })
    server.listen({ port, host: '127.0.0.1' }, () => server.close(() => resolve()))
  })
}
