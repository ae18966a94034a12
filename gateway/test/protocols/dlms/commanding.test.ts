import { fromIso } from '@endeks/domain/time'
import t from 'tap'
import type { Apdu } from '../../../src/protocols/dlms/codec/apdu.js'
import { checkProfile, parseProfile } from '../../../src/protocols/dlms/codec/profile.js'
import { carryOut, type Progress } from '../../../src/protocols/dlms/commanding.js'
import type { MeterCommand } from '../../../src/protocols/protocol.js'

const now = fromIso('2026-11-24T09:00:00Z')
const session = { association: { conformance: 0xffffff, maxPduSize: 0 }, invoke: () => 0xc1 }
const base = {
  name: 'm',
  protocol: 'dlms',
  identity: { obis: '0-0:96.1.0*255', class: 1, attribute: 2 },
  registers: [{ obis: '8-0:1.0.0*255', class: 3 }]
}
const commands = {
  association: { client: 1 },
  'set-clock': { obis: '0-1:1.0.0*255' },
  valve: { class: 3, obis: '0-0:94.0.1*255', attribute: 2, type: 'unsigned', open: 7, closed: 9 },
  credit: { class: 9000, obis: '0-0:94.0.2*255', method: 3, type: 'double-long-unsigned', scaler: -3, unit: 'm3' }
}

/** What goes to the meter, which confirms each; and what is known at the end. */
function carried(command: MeterCommand, profile: unknown): { sent: Apdu[]; progress: Progress } {
  const progress: Progress = { told: false, result: undefined }
  const plan = parseProfile(profile).commands
  const dialogue = carryOut(session, { plan, command, zone: 'Europe/Istanbul', clock: { now: () => now }, progress })
  const sent: Apdu[] = []
  for (let step = dialogue.next(); !step.done; ) {
    sent.push(step.value)
    const confirmation: Apdu =
      step.value.apdu === 'set-request-normal'
        ? { apdu: 'set-response-normal', invoke: 0xc1, result: 0 }
        : { apdu: 'action-response-normal', invoke: 0xc1, response: { result: 0 } }
    step = dialogue.next(confirmation)
  }
  return { sent, progress }
}

t.test('a command goes where the profile says that it goes', (t) => {
  const profile = { ...base, commands }
  t.same(checkProfile(profile), [])
  t.match(parseProfile(profile).commands.association, { client: 1 }, 'told as another client than it is read as')
  const valve = carried({ kind: 'valve', position: 'closed' }, profile)
  t.match(valve.sent, [{ attribute: { class: 3, obis: '0-0:94.0.1*255', attribute: 2 }, value: { type: 'unsigned', value: 9 } }])
  t.match(valve.progress, { told: true, result: { written: 9 } })
  const credit = carried({ kind: 'credit', amount: '2.5', unit: 'm3' }, profile)
  t.match(credit.sent, [{ method: { class: 9000, method: 3 }, parameters: { type: 'double-long-unsigned', value: 2_500 } }])
  const clock = carried({ kind: 'set-clock' }, profile)
  t.match(clock.sent, [{ attribute: { class: 8, obis: '0-1:1.0.0*255', attribute: 2 } }])
  t.end()
})

t.test('without a word of the profile the standard objects are meant, and there is no standard credit', (t) => {
  t.match(carried({ kind: 'set-clock' }, base).sent, [{ attribute: { class: 8, obis: '0-0:1.0.0*255' } }])
  t.match(parseProfile(base).commands.valve, { disconnector: '0-0:96.3.10*255' })
  t.throws(() => carried({ kind: 'credit', amount: '1', unit: 'm3' }, base), { code: 'COMMAND_UNSUPPORTED' })
  const tooMuch = { ...base, commands: { credit: { ...commands.credit, type: 'unsigned' } } }
  t.throws(() => carried({ kind: 'credit', amount: '1', unit: 'm3' }, tooMuch), { code: 'COMMAND_UNSUPPORTED' })
  t.end()
})

t.test('what contradicts itself in the commands is found', (t) => {
  const { method: _, ...neither } = commands.credit
  const wrong: readonly [string, object][] = [
    ['/commands/credit', { credit: neither }],
    ['/commands/credit', { credit: { ...commands.credit, attribute: 2 } }],
    ['/commands/valve/obis', { valve: { obis: '0-0:96.3.300*255' } }],
    ['/commands/association/dedicatedKey', { association: { client: 1, dedicatedKey: true } }]
  ]
  for (const [path, each] of wrong) t.match(checkProfile({ ...base, commands: each }), [{ path }])
  t.end()
})
