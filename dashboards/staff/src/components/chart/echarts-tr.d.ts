/** The package ships this locale without types. */
declare module 'echarts/i18n/langTR-obj.js' {
  import type { registerLocale } from 'echarts/core'

  const locale: Extract<Parameters<typeof registerLocale>[1], object>
  export default locale
}
