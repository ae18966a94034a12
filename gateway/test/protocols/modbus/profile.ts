/** Two counters over both functions, an identity, and a month-end block: small enough to write its bytes by hand. */
export const profile = {
  name: 'test-logger',
  protocol: 'modbus',
  identity: { function: 3, address: 0, count: 4, type: 'ascii', medium: 'cold-water' },
  registers: [
    { obis: '8-0:1.0.0*255', function: 3, address: 4, type: 'u32', scaler: -3, unit: 'm3', invalid: '0xFFFFFFFF' },
    { obis: '8-0:2.0.0*255', function: 4, address: 10, type: 'u16', scaler: 0, unit: 'L' }
  ],
  history: {
    function: 3,
    address: 100,
    entries: 3,
    stride: 4,
    timestamp: { offset: 0, type: 'date-bcd' },
    values: [{ obis: '8-0:1.0.0*255', offset: 2, type: 'u32', scaler: -3, unit: 'm3', invalid: '0xFFFFFFFF' }]
  }
} as const
