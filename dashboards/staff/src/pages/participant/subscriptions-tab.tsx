import { Pairs } from '../../components/pairs.js'
import { useLanguage } from '../../i18n/language.js'
import { ParticipantFrame } from './frame.js'
import { SubscriptionTable } from './subscription-table.js'

export function SubscriptionsTab() {
  const { t, f } = useLanguage()
  return (
    <ParticipantFrame>
      {(participant) => (
        <>
          <SubscriptionTable participant={participant} all />
          <Pairs
            of={[
              [t.participant.since, f.date(participant.createdAt)],
              participant.taxOffice === null ? null : [t.participant.taxOffice, participant.taxOffice],
              participant.address === null ? null : [t.participant.address, participant.address],
              participant.phone === null ? null : [t.participant.phone, participant.phone],
              participant.email === null ? null : [t.participant.email, participant.email]
            ]}
          />
        </>
      )}
    </ParticipantFrame>
  )
}
