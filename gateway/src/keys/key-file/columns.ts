import type { KeyKind } from '../../protocols/protocol.js'

export type Field = 'name' | KeyKind

/**
 * What makers call their columns, in the spelling that `fold` gives, English, German and Turkish. Ranked: where a file has columns
 * of two ranks for one field, such as "Serial number" beside "Name", the earlier rank is taken and the other left out.
 */
const spellings: Readonly<Record<Field, readonly (readonly string[])[]>> = {
  name: [
    words(`serial serialno serialnum serialnumber serialnr sn meterserial meterserialno meterserialnumber deviceserial deviceserialno
      deviceserialnumber seriennummer seriennr fabricationno fabricationnumber fabriknummer fabrikationsnummer seri serino
      serinumarasi sayacserino sayacserinumarasi cihazserino cihazserinumarasi logicaldevicename ldn`),
    words(`meter meterid meterno meternr meternumber deviceid deviceno devicenr devicenumber mbusid wmbusid radioid radionumber id
      identification identificationnumber zahlernummer zaehlernummer zahlernr zaehlernr geratenummer geraetenummer geratenr
      geraetenr funknummer sayac sayacid sayacno sayacnumarasi cihazid cihazno cihaznumarasi`),
    words('name device devicename metername cihaz zahler zaehler gerat geraet')
  ],
  encryption: [
    words(`encryption encryptionkey enckey ek guek guk gek blockcipherkey globalencryptionkey globalunicastencryptionkey
      globalunicastkey unicastencryptionkey unicastkey dek dataencryptionkey decryptionkey aes aeskey aes128 aes128key omskey
      wmbuskey mbuskey wirelessmbuskey radiokey aesschlussel aesschluessel verschlusselungsschlussel verschluesselungsschluessel
      sifrelemeanahtari sifreanahtari aesanahtar aesanahtari aessifreleme aessifrelemeanahtari`),
    words('key meterkey devicekey individualkey cryptkey schlussel schluessel anahtar sayacanahtari cihazanahtari')
  ],
  authentication: [
    words(`authentication authenticationkey authkey ak gak globalauthenticationkey authentifizierungsschlussel
      authentifizierungsschluessel kimlikdogrulamaanahtari kimlikdogrulama dogrulamaanahtari yetkilendirmeanahtari`)
  ],
  broadcast: [
    words(`broadcast broadcastkey broadcastencryptionkey globalbroadcastkey globalbroadcastencryptionkey gbek bek
      broadcastschlussel broadcastschluessel yayinanahtari genelyayinanahtari`)
  ],
  password: [
    words('lls llspassword llskey llssecret lowlevelsecret lowlevelpassword lowlevelsecurity llsparola llssifre llssifresi'),
    words('password passwd pwd pass passwort kennwort parola sifre hls hlspassword hlssecret hlsparola')
  ]
}

const mostColumns = 256

export const columnHelp =
  'a column for the meter (such as "Serial number", "Meter ID", "Seri No") and at least one for a secret ("Key" or "EK", "AK", "GBEK", "LLS")'

function words(text: string): string[] {
  return text.split(/\s+/)
}

/** A header without case, accents, spaces and punctuation: "Şifreleme Anahtarı (hex)" and "sifreleme_anahtari" are one. */
export function fold(header: string): string {
  const bare = header.normalize('NFKD').replace(/\p{M}/gu, '').replaceAll('ı', 'i').toLowerCase()
  return bare.replace(/\(.*?\)|\[.*?\]/g, '').replace(/[^a-z0-9]/g, '')
}

/**
 * Which column holds which field.
 *
 * @returns the index by field; what no field is called like is left out. A sentence where two columns of one rank claim a field, or there are too many.
 */
export function columnsOf(headers: readonly string[]): ReadonlyMap<Field, number> | string {
  if (headers.length > mostColumns) return `there are more than ${mostColumns} columns`
  const folded = headers.map(fold)
  const columns = new Map<Field, number>()
  for (const [field, ranks] of Object.entries(spellings) as [Field, (typeof spellings)[Field]][]) {
    for (const rank of ranks) {
      const found = folded.flatMap((header, index) => (rank.includes(header) ? [index] : []))
      const [first, second] = found
      if (first === undefined) continue
      if (second !== undefined) return `columns ${first + 1} and ${second + 1} may both be the ${describeField(field)}: leave one out`
      columns.set(field, first)
      break
    }
  }
  return columns
}

export function describeField(field: Field): string {
  if (field === 'name') return 'meter'
  return field === 'password' ? 'password' : `${field} key`
}
