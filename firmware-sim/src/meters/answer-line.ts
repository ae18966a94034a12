import type { Socket } from 'node:net'
import type { Clock } from '@endeks/domain/time'
import type { Answer, LineFaults, TimedChunk } from '../faults/index.js'

/** A master that does not read what it is sent gets no more before it does. */
const mostUnread = 65_536
/** Answers on their way at one time; whoever asks faster than the line answers loses the rest. */
const mostUnderway = 256

/** What the meters of a bus put on the line in answer to a request: none for one that nobody took for his. */
export type Reply = (request: Uint8Array, ...answers: readonly Answer[]) => void

/** Writes answers to one connection, as the faults of its line make them: late, in pieces, mixed with others, or never. */
export function answerLine(socket: Socket, faults: LineFaults, clock: Clock): Reply {
  const timers = new Set<NodeJS.Timeout>()
  socket.on('close', () => {
    for (const timer of timers) clearTimeout(timer)
  })
  const write = (bytes: Uint8Array): void => {
    if (socket.writable && socket.writableLength < mostUnread) socket.write(bytes)
  }
  const follow = (chunks: Iterator<TimedChunk>): void => {
    for (let next = chunks.next(); next.done !== true; next = chunks.next()) {
      const { afterMs, bytes } = next.value
      if (afterMs === 0) {
        write(bytes)
        continue
      }
      if (!socket.writable || timers.size >= mostUnderway) return
      const timer = setTimeout(() => {
        timers.delete(timer)
        write(bytes)
        follow(chunks)
      }, afterMs)
      timers.add(timer)
      return
    }
  }
  return (request, ...answers) => follow(faults.spoil(request, answers, clock.now()))
}
