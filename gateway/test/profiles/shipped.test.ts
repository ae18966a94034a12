import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { loadProfiles, type Profile, shippedProfiles } from '../../src/config/index.js'
import { protocols } from '../../src/protocols/index.js'

/** What every profile has beside its protocol's own fields. */
interface Shipped {
  readonly title?: string
  readonly source?: string
  readonly device?: { readonly manufacturer?: string; readonly versions?: readonly number[]; readonly media?: readonly string[] }
  readonly registers: readonly { readonly obis: string }[]
}

const profiles = [...loadProfiles([shippedProfiles]).values()]
const named = profiles.filter(({ name }) => !name.startsWith('generic-'))
const fieldsOf = (profile: Profile): Shipped => profile.value as Shipped

t.test('every shipped profile fits its protocol’s schema and does not contradict itself', (t) => {
  for (const { name, protocol, value } of profiles) {
    const codec = protocols.find((each) => each.codec.name === protocol)?.codec
    t.same(codec?.checkProfile(value), [], name)
  }
  t.end()
})

t.test('every profile of a named meter says where it comes from and which device it is for', (t) => {
  for (const profile of named) {
    const { title = '', source = '', device } = fieldsOf(profile)
    t.not(title, '', `${profile.name}: title`)
    t.not(source, '', `${profile.name}: source`)
    t.ok(device?.manufacturer !== undefined && device.media !== undefined, `${profile.name}: maker and medium`)
    if (profile.protocol === 'mbus') t.ok(device?.versions !== undefined, `${profile.name}: versions`)
    t.ok(profile.name.endsWith(`-${profile.protocol}`), `${profile.name} ends with its protocol`)
  }
  t.end()
})

t.test('ten named meters at least, and a generic profile of each protocol', (t) => {
  t.ok(named.length >= 10)
  for (const { codec } of protocols)
    t.ok(
      profiles.some(({ name, protocol }) => protocol === codec.name && name.startsWith('generic-')),
      codec.name
    )
  t.end()
})

t.test('an M-Bus header is one named meter’s at most', (t) => {
  const owners = new Map<string, string>()
  for (const profile of named.filter(({ protocol }) => protocol === 'mbus')) {
    const { manufacturer, versions = [], media = [] } = fieldsOf(profile).device ?? {}
    for (const version of versions)
      for (const medium of media) {
        const header = `${manufacturer} ${version} ${medium}`
        t.notOk(owners.has(header), `${header}: ${profile.name} and ${owners.get(header)}`)
        owners.set(header, profile.name)
      }
  }
  t.end()
})

t.test('no two profiles for the same device read the same', (t) => {
  const seen = new Map<string, string>()
  for (const profile of named) {
    const { name: _name, title: _title, source: _source, ...reads } = profile.value as Readonly<Record<string, unknown>>
    const key = JSON.stringify(reads)
    t.notOk(seen.has(key), `${profile.name} and ${seen.get(key)}`)
    seen.set(key, profile.name)
  }
  t.end()
})

t.test('a register is named by the medium that its device is for', (t) => {
  // Group A of OBIS (IEC 62056-61, EN 13757-1). Inputs of a heat meter may be of another medium: they have a channel in group B.
  const groups: Readonly<Record<string, readonly string[]>> = {
    electricity: ['1'],
    gas: ['7'],
    heat: ['6'],
    'heat-inlet': ['6'],
    'heat-cooling': ['5', '6'],
    water: ['8'],
    'cold-water': ['8'],
    'warm-water': ['9']
  }
  for (const profile of named) {
    const { device, registers } = fieldsOf(profile)
    const allowed = (device?.media ?? []).flatMap((medium) => groups[medium] ?? [])
    for (const { obis } of registers) {
      const [group, channel] = obis.split(/[-:]/)
      t.ok(channel !== '0' || allowed.includes(group ?? ''), `${profile.name}: ${obis}`)
    }
  }
  t.end()
})

t.test('the page about the profiles names every one', (t) => {
  const page = readFileSync(join(shippedProfiles, 'README.md'), 'utf8')
  for (const { name } of profiles) t.ok(page.includes(`\`${name}\``), name)
  t.end()
})
