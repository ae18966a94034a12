import t from 'tap'
import { codecs, decodeEvidence } from '../src/codec/index.js'
import { loadProfiles, shippedProfiles } from '../src/config/profiles.js'

// Goal: decoding never changes the bytes it reads: they are evidence, and their hash is taken again later.
// Method: a Buffer, whose slice shares its memory with it, is decoded and compared with what it was.

const frames: Readonly<Record<string, { readonly hex: string; readonly profile: string }>> = {
  mbus: {
    hex: '683d3d68080772174420682d2c1b16000000000c7817442068046d132a583b0e130010454900004e13001045490000426c5f3a8e011300102148000082016c5e393c16',
    profile: 'generic-mbus-water'
  },
  modbus: { hex: '0001000000070103040000a4b2', profile: 'generic-modbus-water' },
  dlms: { hex: '0001000b00100009c401c300060207099000', profile: 'generic-dlms-water' }
}

t.test('decoding leaves the bytes as they were', async (t) => {
  const profiles = loadProfiles([shippedProfiles])
  for (const [protocol, { hex, profile }] of Object.entries(frames)) {
    const response = Buffer.from(hex, 'hex')
    const before = response.toString('hex')
    codecs.get(protocol)?.describeFrame(response)
    decodeEvidence(protocol, {
      request: Buffer.alloc(0),
      response,
      at: 1 as never,
      zone: 'Europe/Istanbul',
      profile: profiles.get(profile)?.value
    })
    t.equal(response.toString('hex'), before, protocol)
  }
})
