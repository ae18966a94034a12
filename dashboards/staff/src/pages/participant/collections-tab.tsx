import { CollectionList } from '../collections/collection-list.js'
import { ParticipantFrame } from './frame.js'

export function CollectionsTab() {
  return <ParticipantFrame>{(participant) => <CollectionList participant={participant.registryNo} />}</ParticipantFrame>
}
