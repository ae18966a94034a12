import t, { type Test } from 'tap'
import { killPointAt } from '../../src/process/index.js'

/** Runs through points with the signal caught instead of sent. @returns where the process would have died */
function diesAt(t: Test, at: string | undefined, points: readonly string[]): number[] {
  let reached = 0
  const deaths: number[] = []
  const kill = t.capture(process, 'kill', (pid: number, signal?: string | number) => {
    t.same([pid, signal], [process.pid, 'SIGKILL'])
    deaths.push(reached)
    return true as const
  })
  const killPoint = killPointAt(at)
  for (const point of points) {
    reached += 1
    killPoint(point)
  }
  kill.restore()
  return deaths
}

t.test('a process dies at the point that was named, by its count where one is given, and nowhere otherwise', (t) => {
  const points = ['a:begun', 'b', 'a:begun', 'a:begun']
  t.same(diesAt(t, undefined, points), [])
  t.same(diesAt(t, 'a', points), [], 'a name is the whole name')
  t.same(diesAt(t, 'b', points), [2])
  t.same(diesAt(t, 'a:begun', points), [1])
  t.same(diesAt(t, 'a:begun#3', points), [4])
  t.same(diesAt(t, 'b#2', points), [])
  t.end()
})
