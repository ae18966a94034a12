/** One attribute of an interface class: its number and its name in the Blue Book. `probed`: worth a question when nothing else is known. */
export interface AttributeRow {
  readonly attribute: number
  readonly name: string
  readonly probed?: true
}

export interface ClassRow {
  readonly class: number
  readonly name: string
  readonly attributes: readonly AttributeRow[]
}

/** The interface classes (IEC 62056-6-2, Blue Book part 2) that meters are read by; attribute 1 of each is its logical name. */
export const objectClasses = [
  { class: 1, name: 'Data', attributes: [{ attribute: 2, name: 'value', probed: true }] },
  {
    class: 3,
    name: 'Register',
    attributes: [
      { attribute: 2, name: 'value', probed: true },
      { attribute: 3, name: 'scaler_unit', probed: true }
    ]
  },
  {
    class: 4,
    name: 'Extended register',
    attributes: [
      { attribute: 2, name: 'value', probed: true },
      { attribute: 3, name: 'scaler_unit', probed: true },
      { attribute: 4, name: 'status' },
      { attribute: 5, name: 'capture_time', probed: true }
    ]
  },
  {
    class: 7,
    name: 'Profile generic',
    attributes: [
      { attribute: 2, name: 'buffer' },
      { attribute: 3, name: 'capture_objects' },
      { attribute: 4, name: 'capture_period', probed: true },
      { attribute: 5, name: 'sort_method' },
      { attribute: 6, name: 'sort_object' },
      { attribute: 7, name: 'entries_in_use', probed: true },
      { attribute: 8, name: 'profile_entries' }
    ]
  },
  {
    class: 8,
    name: 'Clock',
    attributes: [
      { attribute: 2, name: 'time', probed: true },
      { attribute: 3, name: 'time_zone' },
      { attribute: 4, name: 'status' },
      { attribute: 5, name: 'daylight_savings_begin' },
      { attribute: 6, name: 'daylight_savings_end' },
      { attribute: 7, name: 'daylight_savings_deviation' },
      { attribute: 8, name: 'daylight_savings_enabled' },
      { attribute: 9, name: 'clock_base' }
    ]
  },
  {
    class: 15,
    name: 'Association LN',
    attributes: [
      { attribute: 2, name: 'object_list' },
      { attribute: 3, name: 'associated_partners_id' },
      { attribute: 4, name: 'application_context_name' },
      { attribute: 5, name: 'xDLMS_context_info' },
      { attribute: 6, name: 'authentication_mechanism_name' },
      { attribute: 7, name: 'secret' },
      { attribute: 8, name: 'association_status' },
      { attribute: 9, name: 'security_setup_reference' }
    ]
  },
  { class: 17, name: 'SAP assignment', attributes: [{ attribute: 2, name: 'SAP_assignment_list' }] },
  {
    class: 64,
    name: 'Security setup',
    attributes: [
      { attribute: 2, name: 'security_policy', probed: true },
      { attribute: 3, name: 'security_suite', probed: true },
      { attribute: 4, name: 'client_system_title' },
      { attribute: 5, name: 'server_system_title', probed: true }
    ]
  },
  {
    class: 70,
    name: 'Disconnect control',
    attributes: [
      { attribute: 2, name: 'output_state', probed: true },
      { attribute: 3, name: 'control_state', probed: true },
      { attribute: 4, name: 'control_mode' }
    ]
  },
  {
    class: 72,
    name: 'M-Bus client',
    attributes: [
      { attribute: 2, name: 'mbus_port_reference' },
      { attribute: 3, name: 'capture_definition' },
      { attribute: 4, name: 'capture_period' },
      { attribute: 5, name: 'primary_address', probed: true },
      { attribute: 6, name: 'identification_number', probed: true },
      { attribute: 7, name: 'manufacturer_id', probed: true },
      { attribute: 8, name: 'version', probed: true },
      { attribute: 9, name: 'device_type', probed: true },
      { attribute: 10, name: 'access_number' },
      { attribute: 11, name: 'status' },
      { attribute: 12, name: 'alarm' }
    ]
  }
] as const satisfies readonly ClassRow[]

/** What the driver and evidence ask of these classes, by name. */
export const attributes = {
  data: { class: 1, value: 2 },
  register: { class: 3, value: 2, scalerUnit: 3 },
  extendedRegister: { class: 4, status: 4, captureTime: 5 },
  profileGeneric: { class: 7, buffer: 2, captureObjects: 3, capturePeriod: 4, sortMethod: 5, entriesInUse: 7 },
  clock: { class: 8, time: 2 },
  association: { class: 15, objectList: 2, replyToHls: 1 },
  sapAssignment: { class: 17, list: 2 },
  disconnectControl: { class: 70, outputState: 2, controlState: 3, remoteDisconnect: 1, remoteReconnect: 2 },
  mbusClient: { class: 72, primaryAddress: 5, identification: 6, manufacturer: 7, version: 8, deviceType: 9 }
} as const

const byNumber: ReadonlyMap<number, ClassRow> = new Map(objectClasses.map((row) => [row.class, row]))

export function objectClass(number: number): ClassRow | undefined {
  return byNumber.get(number)
}

/** "Register" or "class 9999". */
export function className(number: number): string {
  return byNumber.get(number)?.name ?? `class ${number}`
}

/** "scaler_unit" or "attribute 9". Attributes below zero are the maker's own (Blue Book 4.1.2). */
export function attributeName(number: number, attribute: number): string {
  if (attribute === 1) return 'logical_name'
  return byNumber.get(number)?.attributes.find((row) => row.attribute === attribute)?.name ?? `attribute ${attribute}`
}

/** Values of enumerations in words: `control_state` of Disconnect control (Blue Book, class 70), sort methods of class 7. */
export const controlStates = ['disconnected', 'connected', 'ready for reconnection'] as const
export const sortMethods = { firstInFirstOut: 1, lastInFirstOut: 2 } as const
