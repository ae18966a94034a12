import type { ReactNode } from 'react'

interface IconProps {
  readonly size?: number
}

function Stroke({ size = 20, children }: IconProps & { readonly children: ReactNode }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 20 20"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      {children}
    </svg>
  )
}

export const OverviewIcon = (props: IconProps) => (
  <Stroke {...props}>
    <path d="M3 11h5V3H3zM12 17h5V9h-5zM3 17h5v-2H3zM12 5h5V3h-5z" />
  </Stroke>
)

export const ParticipantsIcon = (props: IconProps) => (
  <Stroke {...props}>
    <circle cx="7.5" cy="7" r="3" />
    <path d="M2.5 16.5c.4-3 2.3-4.5 5-4.5s4.6 1.5 5 4.5M13 4.3a3 3 0 0 1 0 5.4M14.5 12.3c1.8.6 2.8 2 3 4.2" />
  </Stroke>
)

export const ReadingsIcon = (props: IconProps) => (
  <Stroke {...props}>
    <rect x="2.5" y="5" width="15" height="10" rx="1" />
    <path d="M7.5 5v10M12.5 5v10M5 8.5v3M10 8.5v3M15 8.5v3" />
  </Stroke>
)

export const BillingIcon = (props: IconProps) => (
  <Stroke {...props}>
    <path d="M5 2.5h7l3 3v12H5zM12 2.5v3h3M7.5 9h5M7.5 12h5M7.5 15h3" />
  </Stroke>
)

export const CollectionsIcon = (props: IconProps) => (
  <Stroke {...props}>
    <rect x="2.5" y="5" width="15" height="10" rx="1" />
    <circle cx="10" cy="10" r="2.2" />
    <path d="M5 7.5v.01M15 12.5v.01" />
  </Stroke>
)

export const SearchIcon = (props: IconProps) => (
  <Stroke {...props}>
    <circle cx="9" cy="9" r="5" />
    <path d="m13 13 4 4" />
  </Stroke>
)

export const MenuIcon = (props: IconProps) => (
  <Stroke {...props}>
    <path d="M3 5.5h14M3 10h14M3 14.5h14" />
  </Stroke>
)

export const FoldIcon = (props: IconProps) => (
  <Stroke {...props}>
    <path d="M3 4v12M16 5l-5 5 5 5" />
  </Stroke>
)

export const UserIcon = (props: IconProps) => (
  <Stroke {...props}>
    <circle cx="10" cy="7" r="3.2" />
    <path d="M3.5 17c.6-3.2 3-5 6.5-5s5.9 1.8 6.5 5" />
  </Stroke>
)

export const CloseIcon = (props: IconProps) => (
  <Stroke {...props}>
    <path d="m5 5 10 10M15 5 5 15" />
  </Stroke>
)

export const CopyIcon = (props: IconProps) => (
  <Stroke {...props}>
    <rect x="7" y="7" width="10" height="10" rx="1" />
    <path d="M13 7V3H3v10h4" />
  </Stroke>
)

export const CheckMark = ({ size = 14 }: IconProps) => (
  <Stroke size={size}>
    <path d="m3 10.5 4.5 4.5L17 5" strokeWidth="2.5" />
  </Stroke>
)

export const CrossMark = ({ size = 14 }: IconProps) => (
  <Stroke size={size}>
    <path d="m4.5 4.5 11 11M15.5 4.5l-11 11" strokeWidth="2.5" />
  </Stroke>
)

export const WarnMark = ({ size = 14 }: IconProps) => (
  <Stroke size={size}>
    <path d="M10 3v9M10 16.5v.5" strokeWidth="3" />
  </Stroke>
)

export const DotMark = ({ size = 14 }: IconProps) => (
  <svg width={size} height={size} viewBox="0 0 20 20" aria-hidden="true">
    <circle cx="10" cy="10" r="6" fill="currentColor" />
  </svg>
)

export const RingMark = ({ size = 14 }: IconProps) => (
  <svg width={size} height={size} viewBox="0 0 20 20" aria-hidden="true">
    <circle cx="10" cy="10" r="5.5" fill="none" stroke="currentColor" strokeWidth="2.5" />
  </svg>
)

export const EstimatedMark = ({ size = 14 }: IconProps) => (
  <svg width={size} height={size} viewBox="0 0 20 20" aria-hidden="true">
    <path d="M2 8 8 2M2 14 14 2M2 20 20 2M8 20 20 8M14 20l6-6" stroke="currentColor" strokeWidth="2" />
  </svg>
)

export const EditedMark = ({ size = 14 }: IconProps) => (
  <Stroke size={size}>
    <path d="m4 13 9-9 3 3-9 9H4z" strokeWidth="2" />
  </Stroke>
)
