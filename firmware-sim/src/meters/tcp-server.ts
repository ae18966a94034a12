import { createServer, type Socket } from 'node:net'
import { AppError } from '@endeks/domain/errors'
import { collide } from '../faults/index.js'
import { answerLine, type Reply } from './answer-line.js'
import type { BusServer, BusServerOptions } from './bus-server.js'

/** A bus has one master; a few more may look on while they test. */
const mostConnections = 16

/**
 * Listens and hands each connection over, with what writes answers to it; closing ends those that are open.
 *
 * @throws {AppError} PORT_TAKEN when another program listens there
 */
export function listenTcp(
  { line, ...address }: Pick<BusServerOptions, 'host' | 'port' | 'line'>,
  onConnection: (socket: Socket, reply: Reply) => void
): Promise<BusServer> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('close', () => sockets.delete(socket))
    // A master that vanishes is everyday life on a bus.
    socket.on('error', () => socket.destroy())
    onConnection(socket, line === undefined ? plainly(socket) : answerLine(socket, line.faults, line.clock))
  })
  server.maxConnections = mostConnections
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = error.code === 'EADDRINUSE'
      const where = `${address.host}:${address.port}`
      reject(
        new AppError(
          taken ? 'PORT_TAKEN' : 'INTERNAL',
          taken ? `${where} is in use: change "port" of the bus` : `${where}: ${error.message}`,
          { host: address.host, port: address.port },
          error
        )
      )
    })
    server.listen(address.port, address.host, () => {
      const bound = server.address()
      resolve({
        port: typeof bound === 'object' && bound !== null ? bound.port : address.port,
        close: () =>
          new Promise((closed) => {
            server.close(() => closed())
            for (const socket of sockets) socket.destroy()
          })
      })
    })
  })
}

function plainly(socket: Socket): Reply {
  return (_request, ...answers) => {
    socket.write(collide(answers.map(({ bytes }) => bytes)))
  }
}
