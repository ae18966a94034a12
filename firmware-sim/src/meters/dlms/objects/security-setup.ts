import { createDecipheriv } from 'node:crypto'
import { obis } from '@endeks/domain/metering'
import { dlms } from '@endeks/gateway/codec'
import { protectionLevels, strictest } from '../ciphering.js'
import { type CosemObject, cosemObject } from '../cosem-object.js'
import type { MeterDevice } from '../device.js'
import { integer, octets, otherReason, success, typeUnmatched } from '../values.js'
import type { CurrentAssociation } from './association-object.js'

const securitySetupClass = 64
export const securitySetupName = obis('0-0:43.0.0*255')
const suite0 = 0

/** Class 64 version 0: policy, suite, titles; a policy is made stricter, and keys are exchanged under the master key. */
export function securitySetupObject(device: MeterDevice, current: CurrentAssociation): CosemObject {
  const policy = () => strictest(current.definition.protection, device.policy)
  return cosemObject({
    class: securitySetupClass,
    obis: securitySetupName,
    seenBy: 'read',
    attributes: {
      2: { read: () => integer('enum', protectionLevels.indexOf(policy())) },
      3: { read: () => integer('enum', suite0) },
      4: { read: () => octets(current.clientTitle() ?? new Uint8Array(0)) },
      5: { read: () => octets(device.title) }
    },
    methods: {
      1: {
        by: 'manage',
        invoke(parameters) {
          const level = parameters?.type === 'enum' ? protectionLevels[parameters.value] : undefined
          if (level === undefined) return typeUnmatched
          if (strictest(level, policy()) !== level) return otherReason
          device.policy = level
          return success
        }
      },
      2: { by: 'manage', invoke: (parameters) => transferKeys(device, parameters) }
    }
  })
}

const transferable = ['global', 'broadcast', 'authentication'] as const

/** global_key_transfer: pairs of key_id and the key wrapped by RFC 3394. One that does not unwrap changes none. */
function transferKeys(device: MeterDevice, parameters: dlms.DlmsData | undefined): dlms.ActionResult {
  const master = device.options.keys?.master
  if (parameters?.type !== 'array' || parameters.value.length === 0) return typeUnmatched
  if (master === undefined || device.keys === undefined) return otherReason
  let keys = device.keys
  for (const pair of parameters.value) {
    const [id, wrapped] = pair.type === 'structure' ? pair.value : []
    const kind = id?.type === 'enum' ? transferable[id.value] : undefined
    if (kind === undefined || wrapped?.type !== 'octet-string') return typeUnmatched
    const key = unwrapped(Buffer.from(master, 'hex'), wrapped.value)
    if (key === undefined) return otherReason
    keys = { ...keys, [kind]: key }
  }
  device.replaceKeys(keys)
  return success
}

const wrapPadding = Buffer.alloc(8, 0xa6)
const wrappedSize = dlms.keySize + wrapPadding.length

function unwrapped(master: Uint8Array, wrapped: Uint8Array): Uint8Array | undefined {
  if (wrapped.length !== wrappedSize) return undefined
  const cipher = createDecipheriv('id-aes128-wrap', master, wrapPadding)
  try {
    return cipher.update(wrapped)
  } catch (thrown) {
    // OpenSSL says in this way only that the check value does not come out.
    if (thrown instanceof Error && 'code' in thrown) return undefined
    throw thrown
  }
}
