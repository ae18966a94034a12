// Generated from the migrated schema by `npm run database:types`; a test fails when it differs.
import type { Computed, Generated, JsonColumn, Timestamp } from './columns.js'

export interface AccountCommand {
  id: Computed<bigint>
  owner: string
  kind: string
  payload: JsonColumn
  requested_by: string
  requested_at: Generated<Timestamp>
  deadline: Timestamp
  state: Generated<string>
  result: JsonColumn | null
  error_code: string | null
  error_message: string | null
  finished_at: Timestamp | null
}

export interface AccountConnection {
  id: Computed<bigint>
  service_point_id: bigint
  gateway_id: string
  bus: string
  address: string
  valid_from: Timestamp
  valid_to: Timestamp | null
  recorded_at: Generated<Timestamp>
  superseded_at: Timestamp | null
}

export interface AccountContract {
  id: Computed<bigint>
  participant_id: bigint
  number: string
  signed_on: string
}

export interface AccountCredential {
  id: Computed<bigint>
  gateway_id: string
  password_hash: string
  created_at: Generated<Timestamp>
  revoked_at: Timestamp | null
}

export interface AccountForeignDevice {
  id: Computed<bigint>
  gateway_id: string
  device: string
  serial: string
  recorded_at: Generated<Timestamp>
  superseded_at: Timestamp | null
}

export interface AccountForeignKey {
  id: Computed<bigint>
  gateway_id: string
  device: string | null
  key: string
  obis: string | null
  unit: string | null
  scaler: number | null
  recorded_at: Generated<Timestamp>
  superseded_at: Timestamp | null
}

export interface AccountGateway {
  id: string
  name: string
  created_at: Generated<Timestamp>
  format: Generated<string>
}

export interface AccountGatewayCertificate {
  fingerprint: string
  gateway_id: string
  serial: string
  issued_at: Generated<Timestamp>
  not_after: Timestamp
  revoked_at: Timestamp | null
}

export interface AccountIdempotency {
  key: string
  user_id: bigint
  request_hash: Buffer
  response: JsonColumn
  created_at: Generated<Timestamp>
}

export interface AccountInstallation {
  id: Computed<bigint>
  meter_id: bigint
  service_point_id: bigint
  valid_from: Timestamp
  valid_to: Timestamp | null
  recorded_at: Generated<Timestamp>
  superseded_at: Timestamp | null
}

export interface AccountMeter {
  id: Computed<bigint>
  serial: string
  manufacturer: string
  model: string | null
  medium: string
}

export interface AccountMeterKey {
  name: string
  version: number
  in_use: Generated<boolean>
  salt: Buffer
  encryption: Buffer | null
  authentication: Buffer | null
  broadcast: Buffer | null
  password: Buffer | null
  recorded_at: Generated<Timestamp>
}

export interface AccountParameter {
  id: Computed<bigint>
  name: string
  valid_from: string
  value: JsonColumn
  recorded_at: Generated<Timestamp>
  superseded_at: Timestamp | null
}

export interface AccountParticipant {
  id: Computed<bigint>
  registry_no: Generated<bigint>
  person_id: bigint
  ownership_status: string
  created_at: Generated<Timestamp>
}

export interface AccountPeriod {
  label: string
  state: Generated<string>
}

export interface AccountPerson {
  id: Computed<bigint>
  kind: string
  name: string
  name_folded: string
  tax_number: string | null
  tax_office: string | null
  address: string | null
  phone: string | null
  email: string | null
  iban: string | null
}

export interface AccountProperty {
  id: Computed<bigint>
  kind: string
  label: string
}

export interface AccountRateSchedule {
  id: Computed<bigint>
  tariff_id: bigint
  version: string
  valid_from: string
  document: JsonColumn
  hash: Buffer
  published_at: Generated<Timestamp>
  published_by: string
}

export interface AccountRegister {
  id: Computed<bigint>
  meter_id: bigint
  obis: string
  digits: number
  max_flow_milli_per_hour: bigint
  billed: Generated<boolean>
}

export interface AccountServicePoint {
  id: Computed<bigint>
  property_id: bigint
  code: string
  commodity: string
}

export interface AccountSession {
  token_hash: Buffer
  user_id: bigint
  created_at: Generated<Timestamp>
  expires_at: Timestamp
}

export interface AccountSubscription {
  id: Computed<bigint>
  contract_id: bigint
  number: string
  commodity: string
  route: string
  opened_at: Timestamp
  closed_at: Timestamp | null
}

export interface AccountSupply {
  id: Computed<bigint>
  service_point_id: bigint
  subscription_id: bigint
  share_numerator: Generated<bigint>
  share_denominator: Generated<bigint>
  sign: Generated<number>
  valid_from: Timestamp
  valid_to: Timestamp | null
  recorded_at: Generated<Timestamp>
  superseded_at: Timestamp | null
}

export interface AccountTariff {
  id: Computed<bigint>
  code: string
  name_tr: string
  name_en: string
}

export interface AccountTariffAssignment {
  id: Computed<bigint>
  subscription_id: bigint
  tariff_id: bigint
  valid_from: Timestamp
  valid_to: Timestamp | null
  recorded_at: Generated<Timestamp>
  superseded_at: Timestamp | null
}

export interface AccountUser {
  id: Computed<bigint>
  login: string
  name: string
  role: string
  password_hash: string
  disabled_at: Timestamp | null
}

export interface AccountUtility {
  only_one: Generated<boolean>
  name: string
  tax_number: string
  tax_office: string
  address: string
  iban: string | null
  zone: string
  currency: string
  invoice_series: string
  receipt_series: string
  payment_days: number
}

export interface AuditEvent {
  id: Computed<bigint>
  at: Generated<Timestamp>
  actor: string
  action: string
  subject_type: string
  subject: string
  details: Generated<JsonColumn>
}

export interface LedgerAccount {
  number: string
  name_tr: string
  name_en: string
}

export interface LedgerAccountMap {
  event: string
  part: string
  account: string
}

export interface LedgerDocument {
  id: bigint
  number: bigint
  participant_id: bigint
  subscription_id: bigint | null
  net_micro: bigint
  tax_micro: bigint
  gross_micro: bigint
  corrects_id: bigint | null
  run_id: bigint | null
  period_from: Timestamp | null
  period_to: Timestamp | null
  issued_at: Timestamp
  year: number
  issue_date: string
  due_date: string | null
  kind: string
  series: string
  label: string
  period: string
  currency: string
  issued_by: string
  receiver: JsonColumn
}

export interface LedgerDocumentLine {
  document_id: bigint
  line_no: number
  net_micro: bigint
  kdv_micro: bigint
  kdv_rate_nano: bigint
  quantity_milli: bigint | null
  rate_nano: bigint | null
  accrual_id: bigint
  charge_ordinal: number
  component: string
  name: JsonColumn
  unit: string | null
}

export interface LedgerEntry {
  id: bigint
  document_id: bigint
  reverses_id: bigint | null
  entry_date: string
  event: string
  period: string
}

export interface LedgerNumberBlock {
  run_id: bigint
  code: string
  year: number
  first: bigint
  last: bigint | null
  state: string
}

export interface LedgerPosting {
  entry_id: bigint
  line_no: number
  amount_micro: bigint
  document_id: bigint
  participant_id: bigint
  subscription_id: bigint | null
  account: string
}

export interface LedgerSeries {
  code: string
  year: number
  next: Generated<bigint>
  last_date: string | null
}

export interface LedgerSettlement {
  collection_id: bigint
  invoice_id: bigint
  amount_micro: bigint
  settled_at: Generated<Timestamp>
}

export interface MeteringDailyConsumption {
  register_id: bigint
  amount_milli: bigint
  day: string
  unit: string
  quality: string
}

export interface MeteringDeadLetter {
  id: Computed<bigint>
  received_at: Generated<Timestamp>
  gateway_id: string
  topic: string
  code: string
  message: string
  size: number
  sha256: Buffer
  payload: Buffer
  read_with: Buffer | null
  replayed_at: Timestamp | null
  outcome: string | null
}

export interface MeteringDirty {
  id: Computed<bigint>
  register_ids: bigint[]
  from_ms: bigint[]
  to_ms: bigint[]
}

export interface MeteringDirtySpan {
  register_id: bigint | null
  from_at: Timestamp | null
  to_at: Timestamp | null
}

export interface MeteringDownlink {
  id: Computed<bigint>
  key: Generated<string>
  command_id: bigint
  gateway_id: string
  bus: string
  address: string
  service_point_id: bigint
  meter_id: bigint | null
  kind: string
  parameters: JsonColumn
  requested_by: string
  requested_at: Timestamp
  deadline: Timestamp
  state: Generated<string>
  attempts: Generated<number>
  attempted_at: Timestamp | null
  sent_at: Timestamp | null
  finished_at: Timestamp | null
  effect: string | null
  result: JsonColumn | null
  error_code: string | null
  error_message: string | null
  answered_at: Timestamp | null
  late: JsonColumn | null
}

export interface MeteringException {
  id: Computed<bigint>
  register_id: bigint
  rule: string
  severity: string
  from_at: Timestamp
  to_at: Timestamp
  details: JsonColumn
  detected_at: Generated<Timestamp>
  state: Generated<string>
  decided_at: Timestamp | null
  decided_by: string | null
  reason: string | null
}

export interface MeteringExchange {
  id: bigint
  at: Timestamp
  received_at: Generated<Timestamp>
  day: string
  key_version: number
  gateway_id: string
  bus: string
  address: string
  protocol: string
  zone: string
  identity: JsonColumn
  profile_hash: Buffer
  sha256: Buffer
  request: Buffer
  response: Buffer
}

export interface MeteringMirrorCursor {
  target: string
  received_us: bigint
  register_id: bigint
  at_us: bigint
  moved_at: Generated<Timestamp>
}

export interface MeteringMirrorRefusal {
  target: string
  register_id: bigint
  at: Timestamp
  refused_at: Generated<Timestamp>
  code: string
  message: string
}

export interface MeteringProfile {
  hash: Buffer
  content: string
  gateway_id: string
  received_at: Generated<Timestamp>
}

export interface MeteringReading {
  register_id: bigint
  at: Timestamp
  raw: bigint
  exchange_id: bigint | null
  received_at: Generated<Timestamp>
  exchange_day: string | null
  status: number
  scaler: number
  unit: string
  source: string
}

export interface MeteringReadingConflict {
  id: Computed<bigint>
  register_id: bigint
  at: Timestamp
  raw: bigint
  exchange_id: bigint | null
  received_at: Generated<Timestamp>
  exchange_day: string | null
  status: number
  scaler: number
  unit: string
  source: string
  decided_at: Timestamp | null
}

export interface MeteringSegment {
  register_id: bigint
  from_at: Timestamp
  to_at: Timestamp
  amount_milli: bigint
  from_raw: bigint
  to_raw: bigint
  recorded_at: Generated<Timestamp>
  superseded_at: Timestamp | null
  revision: number
  scaler: number
  meter_unit: string
  unit: string
  quality: string
  rule: string
}

export interface MeteringSequenceGap {
  gateway_id: string | null
  epoch: string | null
  lane: string | null
  first: bigint | null
  last: bigint | null
  state: string | null
  since: Timestamp | null
  readings: bigint | null
  reason: string | null
}

export interface MeteringSequenceLoss {
  gateway_id: string
  epoch: string
  lane: string
  first: bigint
  last: bigint
  readings: bigint
  received_at: Generated<Timestamp>
  reason: string
}

export interface MeteringSequenceRange {
  gateway_id: string
  epoch: string
  lane: string
  first: bigint
  last: bigint
  received_at: Generated<Timestamp>
  began_at: Generated<Timestamp>
}

export interface MeteringStoragePolicy {
  only_one: Generated<boolean>
  keep_months: number | null
  columnstore_after_days: Generated<number>
  readings_dropped_before: Timestamp | null
}

export interface MeteringTimeTable {
  name: string
  time_column: string
  kind: string
}

export interface MeteringUnassigned {
  id: Computed<bigint>
  gateway_id: string
  bus: string
  address: string
  device_id: string
  manufacturer: string
  obis: string
  at: Timestamp
  raw: bigint
  exchange_id: bigint
  received_at: Generated<Timestamp>
  exchange_day: string
  status: number
  scaler: number
  unit: string
  reason: string
  adopted_at: Timestamp | null
}

export interface RatingAccrual {
  id: bigint
  bill_id: bigint
  subscription_id: bigint
  rate_schedule_id: bigint
  from_at: Timestamp
  to_at: Timestamp
  consumption_milli: bigint
  net_micro: bigint
  tariff_hash: Buffer
  superseded_at: Timestamp | null
  accrual_date: string
  unit: string
}

export interface RatingBill {
  id: bigint
  run_id: bigint
  subscription_id: bigint
  participant_id: bigint
  from_at: Timestamp
  to_at: Timestamp
  document_id: bigint
  consumption_milli: bigint
  net_micro: bigint
  tax_micro: bigint
  superseded_at: Timestamp | null
  days: number
  unit: string
}

export interface RatingBillInput {
  bill_id: bigint
  hash: Buffer
  content: string
}

export interface RatingCharge {
  accrual_id: bigint
  ordinal: number
  net_micro: bigint
  kdv_micro: bigint
  kdv_rate_nano: bigint
  quantity_milli: bigint | null
  component: string
  kdv_class: string
  unit: string | null
  slices: JsonColumn
  share: JsonColumn | null
}

export interface RatingEvidence {
  sha256: Buffer
  exchange_id: bigint
  at: Timestamp
  exchange_day: string
  key_version: number
  gateway_id: string
  bus: string
  address: string
  protocol: string
  zone: string
  identity: JsonColumn
  profile_hash: Buffer
  profile: string
  request: Buffer
  response: Buffer
}

export interface RatingRun {
  id: Computed<bigint>
  period: string
  state: string
  period_from: Timestamp
  period_to: Timestamp
  cutoff_at: Timestamp
  issue_date: string
  due_date: string
  series: string
  number_base: bigint | null
  id_base: bigint | null
  candidates: Generated<number>
  subjects: Generated<number>
  bills: Generated<number>
  net_micro: Generated<bigint>
  tax_micro: Generated<bigint>
  gross_micro: Generated<bigint>
  digest: Buffer | null
  requested_by: string
  issued_by: string | null
  failure_code: string | null
  failure_message: string | null
  created_at: Generated<Timestamp>
  calculated_at: Timestamp | null
  issued_at: Timestamp | null
}

export interface RatingRunCheck {
  run_id: bigint
  name: string
  passed: boolean
  expected: string
  found: string
  offenders: Generated<JsonColumn>
}

export interface RatingRunExclusion {
  run_id: bigint
  subscription_id: bigint
  reason: string
  details: Generated<JsonColumn>
}

export interface RatingRunShard {
  run_id: bigint
  ordinal: number
  first_rank: number
  last_rank: number
  state: Generated<string>
  bills: Generated<number>
  finished_at: Timestamp | null
}

export interface RatingRunSubject {
  rank: number
  subscription_id: bigint
  participant_id: bigint
  from_at: Timestamp
  to_at: Timestamp
  tariff_id: bigint
  rate_schedule_id: bigint
}

export interface DB {
  'account.command': AccountCommand
  'account.connection': AccountConnection
  'account.contract': AccountContract
  'account.credential': AccountCredential
  'account.foreign_device': AccountForeignDevice
  'account.foreign_key': AccountForeignKey
  'account.gateway': AccountGateway
  'account.gateway_certificate': AccountGatewayCertificate
  'account.idempotency': AccountIdempotency
  'account.installation': AccountInstallation
  'account.meter': AccountMeter
  'account.meter_key': AccountMeterKey
  'account.parameter': AccountParameter
  'account.participant': AccountParticipant
  'account.period': AccountPeriod
  'account.person': AccountPerson
  'account.property': AccountProperty
  'account.rate_schedule': AccountRateSchedule
  'account.register': AccountRegister
  'account.service_point': AccountServicePoint
  'account.session': AccountSession
  'account.subscription': AccountSubscription
  'account.supply': AccountSupply
  'account.tariff': AccountTariff
  'account.tariff_assignment': AccountTariffAssignment
  'account.user': AccountUser
  'account.utility': AccountUtility
  'audit.event': AuditEvent
  'ledger.account': LedgerAccount
  'ledger.account_map': LedgerAccountMap
  'ledger.document': LedgerDocument
  'ledger.document_line': LedgerDocumentLine
  'ledger.entry': LedgerEntry
  'ledger.number_block': LedgerNumberBlock
  'ledger.posting': LedgerPosting
  'ledger.series': LedgerSeries
  'ledger.settlement': LedgerSettlement
  'metering.daily_consumption': MeteringDailyConsumption
  'metering.dead_letter': MeteringDeadLetter
  'metering.dirty': MeteringDirty
  'metering.dirty_span': MeteringDirtySpan
  'metering.downlink': MeteringDownlink
  'metering.exception': MeteringException
  'metering.exchange': MeteringExchange
  'metering.mirror_cursor': MeteringMirrorCursor
  'metering.mirror_refusal': MeteringMirrorRefusal
  'metering.profile': MeteringProfile
  'metering.reading': MeteringReading
  'metering.reading_conflict': MeteringReadingConflict
  'metering.segment': MeteringSegment
  'metering.sequence_gap': MeteringSequenceGap
  'metering.sequence_loss': MeteringSequenceLoss
  'metering.sequence_range': MeteringSequenceRange
  'metering.storage_policy': MeteringStoragePolicy
  'metering.time_table': MeteringTimeTable
  'metering.unassigned': MeteringUnassigned
  'rating.accrual': RatingAccrual
  'rating.bill': RatingBill
  'rating.bill_input': RatingBillInput
  'rating.charge': RatingCharge
  'rating.evidence': RatingEvidence
  'rating.run': RatingRun
  'rating.run_check': RatingRunCheck
  'rating.run_exclusion': RatingRunExclusion
  'rating.run_shard': RatingRunShard
  'rating.run_subject': RatingRunSubject
}
