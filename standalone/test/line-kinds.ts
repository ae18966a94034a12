import type { Kind } from './faulty-line.js'

const key = '000102030405060708090a0b0c0d0e0f'
const encryption = Buffer.from(key, 'hex')
const authentication = Buffer.from('d0d1d2d3d4d5d6d7d8d9dadbdcdddedf', 'hex')
/** A readout of three frames. */
const frames = { months: 3, monthsPerFrame: 1 }
const gmac = { client: 1, authentication: 'hls-gmac', protection: 'both', counter: '0-0:43.1.0*255' }
const ciphered = { dlms: { keys: { global: key, authentication: authentication.toString('hex') } } }

/** Every kind of line that the gateway reads, plain and by keys. */
export const kinds: readonly Kind[] = [
  { name: 'M-Bus', protocol: 'mbus', meter: { mbus: frames } },
  { name: 'M-Bus, mode 5', protocol: 'mbus', meter: { mbus: { ...frames, key } }, secrets: { encryption } },
  { name: 'M-Bus, mode 7', protocol: 'mbus', meter: { mbus: { ...frames, key, mode: 7 } }, secrets: { encryption } },
  { name: 'Modbus TCP', protocol: 'modbus' },
  { name: 'Modbus RTU', protocol: 'modbus', simulated: { modbus: { framing: 'rtu' } }, gateway: { framing: 'rtu' } },
  /** answers to its questions are of one length, so that nothing in them tells which is answered */
  {
    name: 'Modbus RTU in equal blocks',
    protocol: 'modbus',
    simulated: { modbus: { framing: 'rtu' } },
    gateway: { framing: 'rtu' },
    profile: { blockRegisters: 24 }
  },
  { name: 'DLMS, wrapper', protocol: 'dlms' },
  { name: 'DLMS, HDLC', protocol: 'dlms', simulated: { dlms: { framing: 'hdlc' } }, gateway: { framing: 'hdlc' } },
  {
    name: 'DLMS, HLS-5',
    protocol: 'dlms',
    meter: ciphered,
    profile: { association: gmac },
    secrets: { encryption, authentication }
  }
]
