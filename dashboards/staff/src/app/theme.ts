import { type CSSVariablesResolver, createTheme, type MantineColorsTuple } from '@mantine/core'

/** The accent in ten steps; 7 is the light theme's, 4 the dark theme's. */
const petrol: MantineColorsTuple = [
  '#e8f4f5',
  '#d3e8e9',
  '#a5d3d6',
  '#7bc4c9',
  '#4fb9bf',
  '#2f9299',
  '#187b82',
  '#0b6a70',
  '#08555a',
  '#053f43'
]

export const theme = createTheme({
  fontFamily: '"IBM Plex Sans", system-ui, sans-serif',
  fontFamilyMonospace: '"IBM Plex Mono", ui-monospace, monospace',
  headings: { fontFamily: '"IBM Plex Sans", system-ui, sans-serif', fontWeight: '600' },
  colors: { petrol },
  primaryColor: 'petrol',
  primaryShade: { light: 7, dark: 4 },
  autoContrast: true,
  defaultRadius: 4,
  radius: { xs: '4px', sm: '4px', md: '4px', lg: '4px', xl: '4px' },
  spacing: { xs: '4px', sm: '8px', md: '12px', lg: '16px', xl: '24px' },
  fontSizes: { xs: '12px', sm: '13px', md: '14px', lg: '16px', xl: '20px' },
  lineHeights: { xs: '16px', sm: '20px', md: '20px', lg: '24px', xl: '28px' },
  shadows: {
    xs: 'none',
    sm: 'none',
    md: '0 4px 16px rgb(0 0 0 / 0.18)',
    lg: '0 4px 16px rgb(0 0 0 / 0.18)',
    xl: '0 4px 16px rgb(0 0 0 / 0.18)'
  },
  cursorType: 'pointer',
  focusRing: 'auto',
  respectReducedMotion: true,
  components: {
    Button: { defaultProps: { size: 'xs' } },
    TextInput: { defaultProps: { size: 'xs' } },
    PasswordInput: { defaultProps: { size: 'xs' } },
    Select: { defaultProps: { size: 'xs' } },
    SegmentedControl: { defaultProps: { size: 'xs' } },
    Modal: { defaultProps: { radius: 4, centered: true, overlayProps: { backgroundOpacity: 0.4 }, transitionProps: { duration: 0 } } },
    Drawer: { defaultProps: { transitionProps: { duration: 0 }, overlayProps: { backgroundOpacity: 0.3 } } },
    Menu: { defaultProps: { shadow: 'md' } },
    Tooltip: { defaultProps: { openDelay: 300 } }
  }
})

const light = {
  '--mantine-color-body': '#ffffff',
  '--mantine-color-text': '#1b2126',
  '--mantine-color-dimmed': '#56616b',
  '--mantine-color-default-border': '#d5dadf',
  '--mantine-color-anchor': '#0b6a70',
  '--mantine-color-error': '#b3261e',
  '--mantine-color-placeholder': '#56616b',
  '--endeks-border': '#7d8893',
  '--endeks-surface': '#f6f7f8',
  '--endeks-hover': '#eef1f3',
  '--endeks-accent': '#0b6a70',
  '--endeks-accent-soft': '#e8f4f5',
  '--endeks-ok': '#1c7441',
  '--endeks-warn': '#8a5a00',
  '--endeks-bad': '#b3261e',
  '--endeks-info': '#1f5a99',
  '--endeks-estimated': '#6a43b5',
  '--endeks-water': '#0072b2',
  '--endeks-wastewater': '#7a5c1e',
  '--endeks-gas': '#b87400',
  '--endeks-heat': '#c2410c',
  '--endeks-mark': '#ffe9b8'
}

const dark = {
  '--mantine-color-body': '#16191c',
  '--mantine-color-text': '#e6e9eb',
  '--mantine-color-dimmed': '#a3adb6',
  '--mantine-color-default-border': '#363d44',
  '--mantine-color-default': '#16191c',
  '--mantine-color-default-hover': '#272c31',
  '--mantine-color-anchor': '#4fb9bf',
  '--mantine-color-error': '#ff8a80',
  '--mantine-color-placeholder': '#a3adb6',
  '--endeks-border': '#77828d',
  '--endeks-surface': '#1e2226',
  '--endeks-hover': '#272c31',
  '--endeks-accent': '#4fb9bf',
  '--endeks-accent-soft': '#16363a',
  '--endeks-ok': '#6ccb8f',
  '--endeks-warn': '#f0b84a',
  '--endeks-bad': '#ff8a80',
  '--endeks-info': '#7db5f2',
  '--endeks-estimated': '#b79cf2',
  '--endeks-water': '#4fa8e0',
  '--endeks-wastewater': '#c9a45c',
  '--endeks-gas': '#f0b03f',
  '--endeks-heat': '#f2844b',
  '--endeks-mark': '#5a4a1c'
}

export const variables: CSSVariablesResolver = () => ({ variables: {}, light, dark })
