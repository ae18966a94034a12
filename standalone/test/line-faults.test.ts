import t from 'tap'
import { type Kind, type Outcome, readFaultyLine } from './faulty-line.js'
import { kinds } from './line-kinds.js'

// Goal: whatever a line does, the gateway gives what the meter showed or a coded failure, and the neighbour is read as if nothing were.
// Method: each fault on each kind of line, between firmware-sim and the gateway's driver and decoder; readings are held against the dials.

interface Trouble {
  readonly fault: object
  /** what a line with checksums makes of it; where nothing is said a read may succeed or not */
  readonly expect?: 'good' | 'failed'
}

/** Longer than the gateway waits, and into the exchange that follows. */
const late = { type: 'late', byMs: 300 }

/** What a line does that frames with a checksum show, and that of TCP in most cases too. */
const troubles: readonly Trouble[] = [
  { fault: { type: 'noise', place: 'before', bytes: 3 } },
  { fault: { type: 'noise', place: 'inside', bytes: 1 }, expect: 'failed' },
  { fault: { type: 'noise', place: 'after', bytes: 3 }, expect: 'good' },
  { fault: { type: 'lost', bytes: 1 }, expect: 'failed' },
  { fault: { type: 'doubled', bytes: 1 } },
  { fault: late },
  { fault: { ...late, every: 2 } },
  { fault: { type: 'foreign' } },
  { fault: { type: 'echo' }, expect: 'good' },
  { fault: { type: 'half' }, expect: 'failed' },
  { fault: { type: 'half', restAfterMs: 40 }, expect: 'good' },
  { fault: { type: 'silence' }, expect: 'failed' },
  { fault: { type: 'babble', bytesPerSecond: 50_000 } },
  { fault: { type: 'lie', about: 'date' } },
  { fault: { type: 'application-error', code: 4 }, expect: 'failed' }
]
/** Modbus TCP and the wrapper leave it to TCP to find a bit that was turned over; the others find it. */
const flipped: Trouble = { fault: { type: 'flipped', bits: 1 }, expect: 'failed' }
/** A DLMS register has no value that stands for none: 4,294,967,295 is what such a dial shows. */
const invalidIndex: Trouble = { fault: { type: 'lie', about: 'index' } }
const wrongKey: Trouble = { fault: { type: 'wrong-key' }, expect: 'failed' }

/** Behind the answer of the repeated request this one comes into the next question. */
const lateForAnother: Trouble = { fault: { type: 'late', byMs: 450, every: 2 } }

const onTcp: ReadonlySet<string> = new Set(['Modbus TCP', 'DLMS, wrapper'])

function troublesOf(kind: Kind): readonly Trouble[] {
  if (kind.secrets !== undefined) return [flipped, { fault: { type: 'noise', place: 'inside', bytes: 1 } }, { fault: late }, wrongKey]
  if (kind.name === 'Modbus RTU in equal blocks') return [lateForAnother]
  if (onTcp.has(kind.name)) return troubles.map(({ fault }) => ({ fault }))
  return [...troubles, flipped, ...(kind.protocol === 'dlms' ? [] : [invalidIndex])]
}

const inWords = (outcome: Outcome): string => (outcome.outcome === 'wrong' || outcome.outcome === 'thrown' ? outcome.what : outcome.outcome)
const isSound = ({ outcome }: Outcome): boolean => outcome === 'good' || outcome === 'failed'

// They wait most of the time.
t.jobs = kinds.length
for (const kind of kinds)
  t.test(`${kind.name}: no fault makes a wrong reading, and the neighbour is read`, { buffered: true }, async (t) => {
    for (const { fault, expect } of troublesOf(kind)) {
      const what = JSON.stringify(fault)
      const { faulty, neighbour } = await readFaultyLine(kind, [fault], expect === 'failed' ? 1 : 2)
      t.same([...faulty, ...neighbour].filter((outcome) => !isSound(outcome)).map(inWords), [], what)
      if (expect !== undefined) t.same([...new Set(faulty.map(inWords))], [expect], `${what} is ${expect}: ${JSON.stringify(faulty)}`)
      // A line that never stops sending is nobody's.
      if (!what.includes('babble'))
        t.ok(
          neighbour.some(({ outcome }) => outcome === 'good'),
          `${what}: ${JSON.stringify(neighbour)}`
        )
    }
  })
