/** `minnow-llm/widget`: the element, without side effects; `minnow-llm/widget/define` registers it. */
export { defineMinnowChat } from './define-minnow-chat'
export { MinnowChat } from './minnow-chat'
export type {
  AnswerDetail,
  ErrorDetail,
  EscalateDetail,
  HumanDetail,
  MinnowChatEvents,
} from './minnow-chat-types'
